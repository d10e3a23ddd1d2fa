"""Base64 in a text (RFC 4648): in one word or wrapped into lines, of a text in any Unicode, packed or not."""

import base64
import codecs
import gzip
import re
import string
import zlib
from collections.abc import Callable, Iterator, Sequence

import re2

from sandboxes.scrub.charsets import text_in
from sandboxes.scrub.parts import Part
from sandboxes.scrub.patterns import byte_options

# A word, and the lines that may go on it: MIME and PEM wrap at a width (RFC 2045, RFC 7468).
_BASE64 = re2.compile(
    rb"[A-Za-z0-9+/_-]{16,}(?:(?:\r?\n[ \t]*[A-Za-z0-9+/]+)+|(?:(?:\\r)?\\n[A-Za-z0-9+/]+)*)={0,2}",
    byte_options(),
)
_BREAK = re.compile(r"(?:\r?\n|(?:\\r)?\\n)[ \t]*")
_SHORTEST, _LONGEST = 16, 1 << 22  # characters
_MOST_UNPACKED = 1 << 18  # bytes of one text; what is packed may be a thousand times as long
# What base64 of a text begins with: the first six bits of a character in print, of a blank or of ESC in
# UTF-8; marks of byte order; a high byte of UTF-16 that is zero; the magic number of gzip (RFC 1952).
_BEGINNING = re.compile("[CDGI-Za-fw-z0-9]|/[/v]|A[A-H]|H4sI")
_FIRST = frozenset("ACDGHIJKLMNOPQRSTUVWXYZabcdefwxyz0123456789/")  # what one of these begins with
_ALPHABET = f"{string.ascii_letters}{string.digits}+/_-"
_LOOKED_AT = 64  # characters of a beginning
_CONTROL = re.compile("[\0-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_GZIP, _ZLIB = _PACKED = b"\x1f\x8b", b"\x78"

Line = tuple[int, str]


def base64_parts(text: str) -> Iterator[Part]:
    """Yield the parts of a text that are base64 of a text."""
    reader = _Reader(text)
    for match in _BASE64.finditer(text.encode("latin-1", "replace")):
        start, end = match.span()
        found = text[start:end]
        if "\n" in found or "\\" in found:
            for lines in _blocks(start, found):
                yield from reader.of_lines(lines)
        elif not text.startswith("=", end) and (part := reader.part(start, found, found, str)):
            yield part


class _Reader:
    """Reads the base64 of one text; of what is packed there only so much altogether."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._left = _MOST_UNPACKED

    def of_lines(self, lines: Sequence[Line]) -> Iterator[Part]:
        """Yield what lines say together, with the last of them or without; of others what each says."""
        for together in (lines, lines[:-1]):
            if (
                len(together) > 1
                and may_begin(lines[0][1][:_LOOKED_AT])
                and (whole := self._of_block(together))
            ):
                yield whole
                lines = lines[len(together) :]
                break
        parts = (self.part(at, line, line, str) for at, line in lines)
        yield from (part for part in parts if part is not None)

    def _of_block(self, lines: Sequence[Line]) -> Part | None:
        (start, first), (second, _), (last, ending) = lines[0], lines[1], lines[-1]
        wrapped = _wrapper(len(first), self._text[start + len(first) : second])
        found = self._text[start : last + len(ending)]
        return self.part(start, found, "".join(line for _, line in lines), wrapped)

    def part(self, start: int, found: str, joined: str, wrapped: Callable[[str], str]) -> Part | None:
        """Return what base64 says if that is a text.

        Args:
            start: where it begins.
            found: as it stands there.
            joined: the same without ends of lines.
            wrapped: puts those in.
        """
        data = _bytes_of(joined)
        if data is None:
            return None
        unpacked, packed = self._unpacked(data)
        told = text_in(unpacked)
        if told is None or _CONTROL.search(told[0]):
            return None
        plain, charset = told
        spelled = _speller(joined)

        def encode(text: str) -> str:
            return wrapped(spelled(packed(text.encode(charset, "replace"))))

        return Part(start, start + len(found), found, plain, encode)

    def _unpacked(self, data: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
        """Return what is packed, and how to pack it again; bytes that are not packed as they are."""
        if not data.startswith(_PACKED) or not self._left:
            return data, bytes
        unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            unpacked = unpacking.decompress(data, self._left)
        except zlib.error:
            return data, bytes
        self._left -= len(unpacked)
        if not unpacking.eof or unpacking.unused_data:
            return data, bytes
        return unpacked, zlib.compress if data.startswith(_ZLIB) else _gzipped


def _blocks(start: int, found: str) -> Iterator[list[Line]]:
    """Yield lines that were wrapped together: each is as long as the first, the last may be shorter."""
    block: list[Line] = []
    for line in _lines(start, found):
        width = len(block[0][1]) if block else 0
        if block and len(line[1]) > width:
            yield block
            block = []
        block.append(line)
        if len(line[1]) < width:
            yield block
            block = []
    if block:
        yield block


def _lines(start: int, found: str) -> Iterator[Line]:
    last = 0
    for end in _BREAK.finditer(found):
        yield start + last, found[last : end.start()]
        last = end.end()
    yield start + last, found[last:]


def may_begin(token: str) -> bool:
    """Whether base64 that begins so may be that of a text, as far as its first characters say."""
    begin = token[: len(token) // 4 * 4]
    if not begin:
        return token[:1] in _FIRST
    if not _BEGINNING.match(begin):
        return False
    data = _decoded(begin)
    if b"\0" in data[:2] or data.startswith((*_PACKED, b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        return not _CONTROL.search(codecs.getincrementaldecoder("utf-8")().decode(data))
    except UnicodeDecodeError:
        return False


def token_under_way(text: str) -> int:
    """Return from where on a text may go on into base64 of a text; its length if nowhere."""
    begins = len(text.rstrip("=").rstrip(_ALPHABET))
    while (line := text[:begins].rstrip(" \t")).endswith(("\n", "\r")):
        line = line.rstrip("\r\n")
        before = len(line.rstrip(_ALPHABET))
        if len(line) - before < _SHORTEST:
            break
        begins = before
    token = "".join(text[begins:].split()).rstrip("=")
    return begins if token and may_begin(token) else len(text)


def _wrapper(width: int, between: str) -> Callable[[str], str]:
    def wrapped(token: str) -> str:
        return between.join(token[at : at + width] for at in range(0, len(token), width))

    return wrapped if between else str


def _bytes_of(joined: str) -> bytes | None:
    token = joined.rstrip("=")
    if not _BEGINNING.match(token) or not _SHORTEST <= len(token) <= _LONGEST or len(token) % 4 == 1:
        return None
    if token.isalpha() and token.islower():
        return None
    return _decoded(token)


def _decoded(token: str) -> bytes:
    return base64.b64decode(token.replace("-", "+").replace("_", "/") + "=" * (-len(token) % 4))


def _gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _speller(token: str) -> Callable[[bytes], str]:
    """Return what spells bytes in the way of a token; one without padding may have needed none."""
    for_addresses = "-" in token or "_" in token
    padded = token.endswith("=") or (len(token) % 4 == 0 and not for_addresses)

    def spelled(data: bytes) -> str:
        done = (base64.urlsafe_b64encode if for_addresses else base64.b64encode)(data).decode()
        return done if padded else done.rstrip("=")

    return spelled
