"""Parts of a text that are text by themselves: base64, percent-encoding, escaped characters, entities."""

import html
import json
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote

from sandboxes.scrub.layout import attributes
from sandboxes.scrub.parts import Part
from sandboxes.scrub.tokens import base64_parts, token_under_way

_PERCENT, _PERCENT_EDGE = re.compile(r"%[0-9A-Fa-f]{2}"), re.compile(r"[\s\"'<>&=?]")
_ESCAPED, _ESCAPED_EDGE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})"), re.compile(r"[\s\"']")
_UNIT = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
# One character in UTF-8 (RFC 3629), each of its bytes encoded.
_CONTINUED = "%[89ABab][0-9A-Fa-f]"
_PERCENT_RUN = re.compile(
    f"%[0-7][0-9A-Fa-f]|%[CDcd][0-9A-Fa-f]{_CONTINUED}|%[Ee][0-9A-Fa-f](?:{_CONTINUED}){{2}}"
    f"|%[Ff][0-7](?:{_CONTINUED}){{3}}|%[0-9A-Fa-f]{{2}}"
)
# Signs that names and addresses have are entities by name, too (HTML, section 13.5).
_NUMBERED = re.compile(r"&(?:#[xX]?[0-9A-Fa-f]{1,8}|colon|commat|dash|hyphen|lowbar|num|period|sol);")
_ENTITY, _ENTITY_EDGE = re.compile(r"&(?:#[xX]?[0-9A-Fa-f]{1,8}|[A-Za-z]{2,8});"), re.compile(r"[\s\"'<>]")
_EDGES, _MARKS = " \t\r\n\"'<>", "%\\&"  # what ends every word, and what each that is encoded has
_SHORTEST = 8  # characters; nothing of interest is shorter, encoded


@lru_cache(maxsize=4)  # own values and rules ask one after the other
def encoded_parts(text: str) -> tuple[Part, ...]:
    """Return the encoded parts of a text; what does not decode to text is none."""
    return () if len(text) < _SHORTEST else tuple(_encoded(text))


def under_way(text: str) -> int:
    """Return from where on a text may go on into an encoded part; its length if nowhere."""
    word = 1 + max(text.rfind(edge) for edge in _EDGES)
    coded = any(mark in text[word:] for mark in _MARKS)
    return word if coded else token_under_way(text)


def _encoded(text: str) -> Iterator[Part]:
    yield from base64_parts(text)
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
        if plain or told != found:
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
        if "\ufffd" in told:  # it stands for no character: it stays, and hides none beside it
            continue
        parts += (found[last : match.start()], told)
        length += match.start() - last
        last = match.end()
        for _ in told:
            length += 1
            said.append(length)
            spelled.append(last)
    parts.append(found[last:])
    return "".join(parts), said, spelled


def _unescaped(text: str) -> str:
    return _UNIT.sub(lambda match: chr(int(match[1] or match[2], 16)), text)


def _quoted(text: str) -> str:
    return quote(text, errors="replace")


def _escaped(text: str) -> str:
    return json.dumps(text)[1:-1]
