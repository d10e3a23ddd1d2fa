"""The characters of a class of a pattern, and the signs that stand for more than themselves in words."""

from collections.abc import Mapping, Sequence
from re import _constants as sre  # type: ignore[attr-defined]  # the standard library ships no types for it
from string import ascii_letters, digits, punctuation, whitespace
from typing import Any, Final

EDGE: Final = "\b"  # stands for the edge of a word in the words of a list
BLANK: Final = "\x00"  # stands for a run of blanks
OTHER: Final = "\x01"  # stands for one character that is in no word
START: Final = "\x02"  # stands for the beginning of a sentence
AROUND: Final = EDGE + BLANK + OTHER + START
_CLASSES: Final = 0xF000  # characters for private use from here on stand for classes
IN_WORDS: Final = frozenset(f"{ascii_letters}{digits}_")
_ALL: Final = frozenset(f"{ascii_letters}{digits}{punctuation}{whitespace}\x7f")
_CATEGORIES: Final[Mapping[Any, frozenset[str]]] = {
    sre.CATEGORY_DIGIT: frozenset(digits),
    sre.CATEGORY_NOT_DIGIT: _ALL - frozenset(digits),
    sre.CATEGORY_SPACE: frozenset(whitespace),
    sre.CATEGORY_NOT_SPACE: _ALL - frozenset(whitespace),
    sre.CATEGORY_WORD: IN_WORDS,
    sre.CATEGORY_NOT_WORD: _ALL - IN_WORDS,
}


def chars_of(items: Sequence[tuple[Any, Any]]) -> frozenset[str] | None:
    """Return the ASCII characters of a class; None where it is not known."""
    chars: frozenset[str] = frozenset()
    for op, arg in items:
        if op is sre.LITERAL:
            chars |= {chr(arg)}
        elif op is sre.RANGE:
            chars |= {chr(code) for code in range(arg[0], arg[1] + 1)}
        elif op is sre.CATEGORY:
            chars |= _CATEGORIES[arg]
        elif op is not sre.NEGATE:
            return None
    negated = bool(items) and items[0][0] is sre.NEGATE
    return _ALL - chars - {char.swapcase() for char in chars} if negated else chars


_SIGNS: Final[dict[str, str]] = {}
_CHARS: Final[dict[str, str]] = {}


def class_sign(chars: frozenset[str]) -> str:
    """Return the character that stands for a class in words."""
    told = "".join(sorted(chars))
    sign = _SIGNS.setdefault(told, chr(_CLASSES + len(_SIGNS)))
    _CHARS[sign] = told
    return sign


def chars_in(sign: str) -> str:
    """Return the characters of the class that a character stands for."""
    return _CHARS[sign]


def is_class(char: str) -> bool:
    """Return whether a character of a word stands for a class."""
    return ord(char) >= _CLASSES
