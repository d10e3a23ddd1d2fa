r"""Hostile text made visible. Agent text goes through here at the last step before a terminal.

Rules of this module:
- what is returned holds no character that moves a cursor, hides, reorders, or starts a terminal sequence;
- nothing is dropped: each such character becomes its number, such as `\x1b` or `\u202e`;
- it cannot be forged: a backslash becomes two, so that text which spells an escape differs from one.

What is unsafe: the Unicode categories of controls, formats (all bidirectional controls, zero-width characters
and tags), surrogates, private and unassigned characters, separators other than the plain space (Unicode
Standard, chapter 4.5), the variation selectors, letters that show nothing, and combining marks piled
higher than two, which overwrite neighbouring lines.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from typing import Any

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f")
_VARIATION = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_MARKS_IN_A_ROW = 2
_PLAIN = re.compile(r"[ -\[\]-~]*")
_BMP_END = 0x10000


def escape(text: str) -> str:
    r"""Return `text` as one line that is safe to print; line ends and tabs become `\n` and `\t`."""
    return text if _PLAIN.fullmatch(text) else _walk(text, _backslashed)


def escape_lines(text: str) -> list[str]:
    """Return the lines of `text`, each safe to print; tabs become spaces."""
    return [escape(line.expandtabs(4)) for line in text.split("\n")]


def escape_json(value: Any, *, indent: int | None = None) -> str:
    """Return `value` as JSON that is safe to print and still parses to the same value.

    Args:
        value: a JSON value.
        indent: as for `json.dumps`; with it, line ends stand between the values.
    """
    lines = json.dumps(value, ensure_ascii=False, indent=indent).split("\n")
    return "\n".join(
        line if line.isascii() and line.isprintable() else _walk(line, _in_json) for line in lines
    )


def is_safe(character: str) -> bool:
    """Tell whether one character shows itself, and only itself, on a terminal."""
    if character in _INVISIBLE or any(ord(character) in block for block in _VARIATION):
        return False
    return character == " " or unicodedata.category(character) not in _UNSAFE_CATEGORIES


def width(text: str) -> int:
    """Return how many terminal columns safe text takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def clip(text: str, columns: int) -> str:
    """Return safe text cut to at most `columns`, with `…` where something was cut."""
    if width(text) <= columns:
        return text
    kept, used = "", 1
    for character in text:
        used += _columns(character)
        if used > columns:
            break
        kept += character
    return kept + "…"


def _columns(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _walk(text: str, spell: Callable[[str], str]) -> str:
    shown: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        shown.append(spell(character) if marks > _MARKS_IN_A_ROW or not is_safe(character) else character)
        if character == "\\" and spell is _backslashed:
            shown.append("\\")
    return "".join(shown)


def _backslashed(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    if number <= 0xFF:  # noqa: PLR2004 - the last character of Latin-1
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < _BMP_END else f"\\U{number:08x}"


def _in_json(character: str) -> str:
    number = ord(character)
    if number < _BMP_END:
        return f"\\u{number:04x}"
    offset = number - _BMP_END
    return f"\\u{0xD800 + (offset >> 10):04x}\\u{0xDC00 + (offset & 0x3FF):04x}"


_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}
