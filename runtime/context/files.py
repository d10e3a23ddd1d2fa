"""Texts in encoded files: a data URL (RFC 2397) or base64 (RFC 4648), in the members that hold files.

A file that can be read as a text is one, whatever its type says: it is decoded, scrubbed, and encoded again
where anything changed. Files in a format of their own, such as images and archives, pass as they are.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import quote, unquote

from runtime.context.media import begins_like_text, is_media_type
from sandboxes.scrub.charsets import charset_of

Scrub = Callable[[str], str]

_SCHEME: Final = "data:"
_HEAD: Final = re.compile(r"data:(?:[\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+(?:=[^,;\s]*)?)*,", re.IGNORECASE)
_BASE64: Final = ";base64"
_URL_SAFE: Final = str.maketrans("-_", "+/")
_CHARSET: Final = re.compile(r";\s*charset=[\"']?([\w.:-]+)", re.IGNORECASE)
_MARK: Final = "\ufeff"
_SMALL: Final = 256  # characters; a name or a value may happen to be base64, and a file is longer


def is_data_url(value: str) -> bool:
    """Whether an address is a data URL, which holds the file itself."""
    return value[: len(_SCHEME)].lower() == _SCHEME


def scrubbed_file(value: str, kind: str, words: Scrub, other: Scrub) -> str:
    """Return a file as it may be seen, in the encoding that it came in.

    Args:
        value: a data URL or base64; what is neither is read as the text it is.
        kind: its media type, if that stands beside it; a data URL says its own.
        words: scrubs a text.
        other: scrubs names and values.

    Raises:
        ScrubError: it is a text and could not be scrubbed.
    """
    if not _HEAD.match(value):
        return _of_base64(value, kind, words, other)
    head, _, body = value.partition(",")
    told = head[len(_SCHEME) :]
    if told.lower().endswith(_BASE64):
        return f"{other(head)},{_of_base64(body, told, words, other)}"
    plain = unquote(body)
    seen = words(plain)
    return f"{other(head)},{body if seen == plain else quote(seen)}"


def _of_base64(value: str, kind: str, words: Scrub, other: Scrub) -> str:
    data = _decoded(value)
    if data is None:
        return words(value)
    found = next(_readings(data, kind, begins_as_text=begins_like_text(value)), None)
    if found is None:
        return other(value) if len(value) <= _SMALL else value
    text, charset = found
    bare = text.removeprefix(_MARK)
    seen = words(bare)
    marked = f"{_MARK if bare != text else ''}{seen}"
    return value if seen == bare else base64.b64encode(marked.encode(charset, "replace")).decode()


def _decoded(value: str) -> bytes | None:
    """Return what is encoded, however it is broken into lines, padded, or quoted for an address."""
    plain = "".join(unquote(value).split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _readings(data: bytes, kind: str, *, begins_as_text: bool) -> Iterator[tuple[str, str]]:
    """Yield what a file says, with its charset: what it is itself comes before what is said of it."""
    for charset in _charsets(data, kind, begins_as_text=begins_as_text):
        try:
            text = data.decode(charset)
        except (UnicodeError, LookupError):
            continue
        if "\0" not in text:
            yield text, charset


def _charsets(data: bytes, kind: str, *, begins_as_text: bool) -> Iterator[str]:
    yield charset_of(data)
    if told := _CHARSET.search(kind):
        yield told[1]
    if kind.strip().lower().startswith("text/") or (begins_as_text and not is_media_type(kind)):
        yield "latin-1"  # it reads any byte, and what is not changed stays as it was
