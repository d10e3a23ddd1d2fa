"""A text as its rules read it: one byte a character, lines joined where a sentence wraps, markup taken out.

Every place in a view is a place in the text, so what a rule finds can be replaced where it stands.
"""

import codecs
import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

_SAME_LENGTH = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u00b7": ",",
        "\u2022": "*",
        "\u20ac": "$",
        "\u00a3": "$",
        "\r": " ",
    }
)
_SPECIAL = re.compile(f"[{''.join(map(chr, _SAME_LENGTH))}]")  # ten times as fast as `translate`
# A line that goes on in the next one: long, not ended, and what follows is neither an item nor `key: value`.
_WRAP = re.compile(r"\n(?<=[^\n]{40}[\w,;')-]\n)[ \t>#|]*(?=[a-z(])(?![\w.-]+\s?[:=])")
_MARKUP = re.compile(
    r"(?P<cell></(?:td|th|dt|key)>\s*)|(?P<block></?(?:td|th|tr|dt|dd|li|p|div|br|h[1-6])(?:\s[^<>\n]{0,120})?/?>)"
    r"|(?P<cut>[*`]+|</?[A-Za-z][^<>\n]{0,120}>|~~|\\(?=[_*\"]))|(?P<entity>&#?\w{2,8};)"
    r"|(?P<hidden>[\u00ad\u200b-\u200f\u2060-\u2064\ufeff])"
)
_EMPHASIS = b"*`"  # most markup is this alone
_OTHER_MARKS = "<&\\~"
_MARKS = f"*`{_OTHER_MARKS}"
_OTHER_MARKUP = re.compile(r"</?[A-Za-z]|&#?\w{2,8};|~~|\\[_*\"]")
# Where markup can begin: one class of characters is found far faster than the pattern above by itself.
_MARK = re.compile(f"[{re.escape(_MARKS)}\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def _as_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wide = error.object[error.start : error.end]
    return "".join(_letter(char) for char in wide), error.end


def _letter(char: str) -> str:
    plain = unicodedata.normalize("NFKD", char)[:1]
    return plain if plain.isascii() and plain else ("x" if char.isalnum() else "\x7f")


codecs.register_error("handrail-letters", _as_letters)


@dataclass(frozen=True)
class View:
    """What rules read.

    Attributes:
        data: the text, one byte a character.
        marked: the text with its markup, if it has any.
    """

    data: bytes
    marked: str = ""

    @cached_property
    def _stretches(self) -> tuple[list[int], list[int]]:
        """Where stretches of it begin, and where each begins in the text; few views are ever asked."""
        _, places, origins = _without_markup(self.marked)
        return places, origins

    def origin(self, place: int) -> int:
        """Return where in the text a place of the view is."""
        if not self.marked:
            return place
        places, origins = self._stretches
        index = bisect_right(places, place) - 1
        return origins[index] + place - places[index]

    def origin_of_end(self, place: int) -> int:
        """Return where in the text something ends that ends at a place of the view."""
        return self.origin(place - 1) + 1 if place else 0


def view_of(text: str) -> View:
    """Return how rules read a text."""
    plain = text if text.isascii() and "\r" not in text else _SPECIAL.sub(_same_length, text)
    if "\n" in plain:
        plain = _WRAP.sub(lambda match: " " * len(match[0]), plain)
    if not plain.isascii() or (any(mark in plain for mark in _OTHER_MARKS) and _OTHER_MARKUP.search(plain)):
        return View(_without_markup(plain)[0], plain)
    data = plain.encode("ascii")
    bare = data.translate(None, _EMPHASIS)
    return View(bare, "" if len(bare) == len(data) else plain)


def _without_markup(plain: str) -> tuple[bytes, list[int], list[int]]:
    """What is read of a text, where stretches of that begin, and where each of them begins in the text."""
    parts: list[str] = []
    places, origins = [0], [0]
    length = last = 0
    for match in _markup(plain):
        put = _put(match)
        parts += (plain[last : match.start()], put)
        length += match.start() - last
        if put:
            places.append(length)
            origins.append(match.start())
        length += len(put)
        last = match.end()
        places.append(length)
        origins.append(last)
    parts.append(plain[last:])
    return "".join(parts).encode("ascii", "handrail-letters"), places, origins


def _markup(plain: str) -> Iterator[re.Match[str]]:
    end = 0
    for mark in _MARK.finditer(plain):
        match = _MARKUP.match(plain, mark.start()) if mark.start() >= end else None
        if match:
            end = match.end()
            yield match


def _same_length(match: re.Match[str]) -> str:
    return _SAME_LENGTH[ord(match[0])]


def _put(match: re.Match[str]) -> str:
    """What rules read instead of markup: cells of a table do not run together."""
    if match.lastgroup == "entity":
        return _entity(match[0])
    return {"cell": "|", "block": " "}.get(match.lastgroup or "", "")


def _entity(found: str) -> str:
    char = html.unescape(found)
    return char.translate(_SAME_LENGTH)[:1] if char != found else found[:1]
