"""Parts of a text that are text by themselves: base64, percent-encoding, escaped characters, attributes."""

import base64
import binascii
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

import re2

from sandboxes.scrub.layout import attributes
from sandboxes.scrub.patterns import byte_options

_BASE64 = re2.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}", byte_options())
_IN_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]")
_PERCENT, _PERCENT_EDGE = re.compile(r"%[0-9A-Fa-f]{2}"), re.compile(r"[\s\"'<>&=?]")
_ESCAPED, _ESCAPED_EDGE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})"), re.compile(r"[\s\"']")
_UNIT = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
_LONGEST = 65536
# What base64 of UTF-8 begins with: its first six bits are those of a character in print, a tab or a new line.
_BEGINNINGS = frozenset("CIJKLMNOPQRSTUVWXYZabcdefwxyz0123456789")


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is encoded: where it is, what it says, and how to say something else in its way."""

    start: int
    end: int
    found: str
    plain: str
    encode: Callable[[str], str]


def encoded_parts(text: str) -> Iterator[Part]:
    """Yield the encoded parts of a text; what does not decode to text is none."""
    if len(text) < 8:  # noqa: PLR2004 nothing of interest is shorter, encoded
        return
    for match in _BASE64.finditer(text.encode("latin-1", "replace")):
        start, end = match.span()
        if not any(_IN_BASE64.match(text, at) for at in (start - 1, end) if at >= 0):
            yield from _base64(start, end, text[start:end])
    if "%" in text:
        yield from _parts(_words(text, _PERCENT, _PERCENT_EDGE), text, unquote, quote)
    if "<" in text and "=" in text:
        yield from _attributes(text)
    if "\\" in text:
        yield from _parts(_words(text, _ESCAPED, _ESCAPED_EDGE), text, _unescaped, _escaped)


def _attributes(text: str) -> Iterator[Part]:
    """Yield the values of attributes that are more than one word: rules read a text without its tags."""
    for laid in attributes(text):
        found = text[laid.start : laid.end]
        if " " in found:
            yield Part(laid.start, laid.end, found, html.unescape(found), html.escape)


def _words(text: str, mark: re.Pattern[str], edge: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield where words with a mark in them are; a pattern of the whole word would try at every character."""
    end = 0
    for match in mark.finditer(text):
        if match.start() < end:
            continue
        start = match.start()
        while start > end and not edge.match(text, start - 1):
            start -= 1
        after = edge.search(text, match.end())
        end = after.start() if after else len(text)
        yield start, end


def _parts(
    spans: Iterable[tuple[int, int]], text: str, decode: Callable[[str], str], encode: Callable[[str], str]
) -> Iterator[Part]:
    for start, end in spans:
        found = text[start:end]
        plain = decode(found)
        if plain != found and "\ufffd" not in plain:
            yield Part(start, end, found, plain, encode)


def _base64(start: int, end: int, found: str) -> Iterator[Part]:
    token = found.rstrip("=")
    if token[0] not in _BEGINNINGS or len(token) > _LONGEST or len(token) % 4 == 1:
        return
    if token.isalpha() and token.islower():
        return
    try:
        data = base64.b64decode(token.replace("-", "+").replace("_", "/") + "=" * (-len(token) % 4))
        plain = data.decode()
    except (binascii.Error, UnicodeDecodeError):
        return
    if plain.replace("\n", " ").replace("\t", " ").isprintable():
        yield Part(start, end, found, plain, _encoder(padded=found.endswith("=")))


def _encoder(*, padded: bool) -> Callable[[str], str]:
    def encode(text: str) -> str:
        done = base64.b64encode(text.encode(errors="replace")).decode()
        return done if padded else done.rstrip("=")

    return encode


def _unescaped(text: str) -> str:
    return _UNIT.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]
