"""Parts of a text that are text by themselves: base64, percent-encoding, escaped characters, entities."""

import base64
import binascii
import html
import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, unquote

import re2

from sandboxes.scrub.changes import apply
from sandboxes.scrub.layout import attributes
from sandboxes.scrub.model import Change
from sandboxes.scrub.patterns import byte_options

_BASE64 = re2.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}", byte_options())
_IN_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]")
_PERCENT, _PERCENT_EDGE = re.compile(r"%[0-9A-Fa-f]{2}"), re.compile(r"[\s\"'<>&=?]")
_ESCAPED, _ESCAPED_EDGE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})"), re.compile(r"[\s\"']")
_UNIT = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
# One character in UTF-8 (RFC 3629), each of its bytes encoded.
_CONTINUED = "%[89ABab][0-9A-Fa-f]"
_PERCENT_RUN = re.compile(
    f"%[0-7][0-9A-Fa-f]|%[CDcd][0-9A-Fa-f]{_CONTINUED}|%[Ee][0-9A-Fa-f](?:{_CONTINUED}){{2}}"
    f"|%[Ff][0-7](?:{_CONTINUED}){{3}}|%[0-9A-Fa-f]{{2}}"
)
_NUMBERED, _ENTITY_EDGE = re.compile(r"&#[xX]?[0-9A-Fa-f]{1,6};"), re.compile(r"[\s\"'<>]")
_ENTITY = re.compile(r"&(?:#[xX]?[0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});")
_SHORTEST, _LONGEST = 8, 65536  # characters; nothing of interest is shorter, encoded
# What base64 of UTF-8 begins with: its first six bits are those of a character in print, a tab or a new line.
_BEGINNINGS = frozenset("CIJKLMNOPQRSTUVWXYZabcdefwxyz0123456789")


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is encoded: where it is, what it says, and how to say something else in its way.

    Attributes:
        start: where it begins in the text.
        end: where it ends.
        found: the part as it stands there.
        plain: what it says.
        encode: says something in its way.
        said: where, in what it says, each encoded character ends; None where it spells all of them together.
        spelled: where each of them ends in the part.
    """

    start: int
    end: int
    found: str
    plain: str
    encode: Callable[[str], str]
    said: Sequence[int] | None = None
    spelled: Sequence[int] = ()

    def after(self, changes: Sequence[Change]) -> str:
        """Return the part after changes of what it says; what is not changed is spelled as it was."""
        if self.said is None:
            return self.encode(apply(self.plain, changes))
        return apply(self.found, [self._as_spelled(change, self.said) for change in changes])

    def _as_spelled(self, change: Change, said: Sequence[int]) -> Change:
        """A change of what it says as one of the part."""
        start, end = (self._place(place, said) for place in (change.start, change.end))
        put = None if change.put is None else self.encode(change.put)
        return replace(change, start=start, end=end, put=put)

    def _place(self, place: int, said: Sequence[int]) -> int:
        ended = bisect_right(said, place) - 1
        return place if ended < 0 else self.spelled[ended] + place - said[ended]


@lru_cache(maxsize=4)  # own values and rules ask one after the other
def encoded_parts(text: str) -> tuple[Part, ...]:
    """Return the encoded parts of a text; what does not decode to text is none."""
    return () if len(text) < _SHORTEST else tuple(_encoded(text))


def _encoded(text: str) -> Iterator[Part]:
    for match in _BASE64.finditer(text.encode("latin-1", "replace")):
        start, end = match.span()
        if not any(_IN_BASE64.match(text, at) for at in (start - 1, end) if at >= 0):
            yield from _base64(start, end, text[start:end])
    if "%" in text:
        yield from _parts(_words(text, _PERCENT, _PERCENT_EDGE), text, _PERCENT_RUN, unquote, _quoted)
    if "<" in text and "=" in text:
        yield from _attributes(text)
    if "\\" in text:
        yield from _parts(_words(text, _ESCAPED, _ESCAPED_EDGE), text, _UNIT, _unescaped, _escaped)
    if "&" in text:
        yield from _parts(_words(text, _NUMBERED, _ENTITY_EDGE), text, _ENTITY, html.unescape, html.escape)


def _attributes(text: str) -> Iterator[Part]:
    """Yield the values of attributes that are more than one word: rules read a text without its tags."""
    for laid in attributes(text):
        found = text[laid.start : laid.end]
        if " " in found:
            yield from _parts([(laid.start, laid.end)], text, _ENTITY, html.unescape, html.escape, plain=True)


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
    spans: Iterable[tuple[int, int]],
    text: str,
    coded: re.Pattern[str],
    decode: Callable[[str], str],
    encode: Callable[[str], str],
    *,
    plain: bool = False,
) -> Iterator[Part]:
    """Yield the parts at some places that decode to text.

    Args:
        spans: where they are.
        text: in which.
        coded: finds what stands for other characters.
        decode: tells what that stands for.
        encode: says something in their way.
        plain: whether what is not encoded is a part too.
    """
    for start, end in spans:
        found = text[start:end]
        told, said, spelled = _decoded(found, coded, decode)
        if "\ufffd" not in told and (plain or told != found):
            yield Part(start, end, found, told, encode, said, spelled)


def _decoded(
    found: str, coded: re.Pattern[str], decode: Callable[[str], str]
) -> tuple[str, Sequence[int], Sequence[int]]:
    """What a part says, and where each encoded character ends, there and in the part.

    Numbers in arrays: a part may be some MB of nothing but encoded characters.
    """
    parts: list[str] = []
    said, spelled = array("q"), array("q")
    length = last = 0
    for match in coded.finditer(found):
        told = decode(match[0]) or " "
        parts += (found[last : match.start()], told)
        length += match.start() - last
        last = match.end()
        for _ in told:
            length += 1
            said.append(length)
            spelled.append(last)
    parts.append(found[last:])
    return "".join(parts), said, spelled


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


def _quoted(text: str) -> str:
    return quote(text, errors="replace")


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]
