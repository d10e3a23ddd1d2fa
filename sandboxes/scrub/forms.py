"""Two forms of a view in which words and signs are looked for, and how words are written in them.

In the form of words all but letters and digits is a blank, and blanks are one; in that of signs every
character stays. Both have no capitals, and 0 for every digit.
"""

import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import fsum, prod
from typing import Final

from sandboxes.scrub.chars import BLANK, EDGE, OTHER, START, chars_in, is_class
from sandboxes.scrub.common import rate

Words = frozenset[str]

_ASCII: Final = 128
_MOST: Final = 300  # ways to write one word
_BLANKS: Final = re.compile(" +")
_CLASSES: Final = re.compile("[\uf000-\uf8ff]+")
_UNKNOWN: Final = re.compile(f"[{BLANK}{OTHER}]+|(?={START})")
_NOWHERE: Final = 99.0
_ALONE: Final = frozenset(string.punctuation + "0")


def _word(char: str) -> str:
    return (char.lower() if char.isalpha() else "0") if char.isascii() and char.isalnum() else " "


def _sign(char: str) -> str:
    return "0" if char.isdigit() else {"\t": " ", START: "\n"}.get(char, char.lower())


def _table(put: Callable[[str], str], kept: frozenset[int]) -> bytes:
    """Some characters are kept as they are, and those beyond ASCII, which a view has not."""
    return bytes(ord(put(chr(code))) if code < _ASCII and code not in kept else code for code in range(256))


# What ends a line in a form comes from nothing else: a text cannot make its own ends.
_WORDS: Final = _table(_word, frozenset({10}))
_SIGNS: Final = _table(_sign, frozenset(range(32)) - {9})
_OF_WORDS: Final = {code: _word(chr(code)) for code in range(_ASCII)}
_OF_SIGNS: Final = {code: _sign(chr(code)) for code in range(_ASCII)}


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two forms.

    Attributes:
        end: what ends a line in it.
        written: tells how a view with one sentence a line is written in it.
        ways: tells how a word can be written in it, or the part of it that says most; none if none does.
    """

    end: bytes
    written: Callable[[bytes], bytes]
    ways: Callable[[str], Words]


def _in_words(lines: bytes) -> bytes:
    return b" %b " % b" ".join(lines.translate(_WORDS).replace(b"\n", b" \x01 ").split())


def _in_signs(lines: bytes) -> bytes:
    return b"\n" + lines.translate(_SIGNS)


@cache
def _ways_in_words(word: str) -> Words:
    ways = _ways(word, _OF_WORDS)
    return _telling(frozenset(_BLANKS.sub(" ", way) for way in one) for one in ways)


@cache
def _ways_in_signs(word: str) -> Words:
    parts = _UNKNOWN.split(word.replace(EDGE, ""))
    return _telling(ways for part in parts if part for ways in _ways(part, _OF_SIGNS))


WORDS: Final = Form(b"\x01", _in_words, _ways_in_words)
SIGNS: Final = Form(b"\n", _in_signs, _ways_in_signs)


@cache
def ways_of(words: Words, form: Form) -> Words:
    """Return how some words can be written in a form; none if it says nothing of one of them."""
    told = [form.ways(word) for word in words]
    return frozenset().union(*told) if all(told) else frozenset()


def commonness(words: Words) -> float:
    """Return how often one of some words is met in a KB, roughly, in the form in which they are rarer."""
    return min(form_rate(words, form) for form in (WORDS, SIGNS))


@cache
def form_rate(words: Words, form: Form) -> float:
    """Return how often one of some words is met in a KB of a form, roughly."""
    ways = ways_of(words, form)
    return fsum(map(rate, ways)) if ways or not words else _NOWHERE


def _ways(word: str, put: Mapping[int, str]) -> Iterator[Words]:
    """The ways to write a word; where classes make them too many, those of the parts between the classes."""
    if word.isascii():
        yield frozenset({word.translate(put)})
        return
    chars = [{one.translate(put) for one in (chars_in(char) if is_class(char) else char)} for char in word]
    if prod(map(len, chars)) <= _MOST:
        yield frozenset(map("".join, product(*chars)))
    else:
        yield from (frozenset({part.translate(put)}) for part in _CLASSES.split(word) if part)


def _telling(told: Iterable[Words]) -> Words:
    """Those ways of several that are met least, if they say anything."""
    able = [ways for ways in told if all(map(_tells, ways))]
    if len(able) == 1:
        return able[0]
    return min(able, key=lambda ways: fsum(map(rate, ways)), default=frozenset())


def _tells(way: str) -> bool:
    """Not a single letter within words, nor what stands everywhere."""
    return (
        len(way.strip()) > 1 or (len(way) > 1 + way.isspace() and way[0] == way[-1]) or way.strip() in _ALONE
    )
