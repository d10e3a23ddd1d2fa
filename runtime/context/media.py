"""Encoded files in a result: images, sound, texts and binary files, as the protocol has them.

That is in content blocks and resource contents (MCP 2025-11-25). Of those only what can be read as a text is
scrubbed, whatever its type says; in every other member base64 is a text like any other.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from runtime.canonical import JsonValue

At = tuple[str | int, ...]
Media = dict[At, tuple[str, str]]
"""What was taken out and its media type, by where it stood."""

_BLOCKS: Final = frozenset({"image", "audio"})
_HOLDING: Final = frozenset({"content", "contents", "messages", "resource"})
_MEDIA_TYPES: Final = ("image/", "audio/", "video/", "font/")
_BINARY_TYPES: Final = frozenset(
    {"application/octet-stream", "application/pdf", "application/zip", "application/gzip"}
)
_PLACEHOLDER: Final = ""
_LOOKED_AT: Final = 64  # characters of base64: 48 bytes, more than any magic number


def take_out(value: JsonValue) -> tuple[JsonValue, Media]:
    """Return a result without its media, and the media."""
    media: Media = {}
    if not isinstance(value, Mapping) or not _HOLDING & value.keys():
        return value, media
    return _without(value, (), media), media


def put_back(value: JsonValue, seen: Mapping[At, str]) -> JsonValue:
    """Return a result with its media, as they may be seen, where they stood."""
    return _with(value, (), seen) if seen else value


def _without(value: JsonValue, at: At, media: Media) -> JsonValue:
    if isinstance(value, list | tuple):
        return [_without(item, (*at, index), media) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    encoded = _encoded_member(value)
    kept: dict[str, JsonValue] = {}
    for name, item in value.items():
        if name == encoded and isinstance(item, str):
            kind = value.get("mimeType")
            media[*at, name] = item, kind if isinstance(kind, str) else ""
            kept[name] = _PLACEHOLDER
        else:
            kept[name] = _without(item, (*at, name), media) if name in _HOLDING else item
    return kept


def _with(value: JsonValue, at: At, media: Mapping[At, str]) -> JsonValue:
    if at in media:
        return media[at]
    if isinstance(value, list | tuple):
        return [_with(item, (*at, index), media) for index, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {name: _with(item, (*at, name), media) for name, item in value.items()}
    return value


def _encoded_member(value: Mapping[str, JsonValue]) -> str | None:
    if value.get("type") in _BLOCKS:
        return "data"
    return "blob" if "uri" in value else None


def is_media_type(kind: str) -> bool:
    """Whether a media type is of no text; SVG and whatever else is XML is text."""
    name = kind.partition(";")[0].strip().lower()
    return (name.startswith(_MEDIA_TYPES) and not name.endswith("xml")) or name in _BINARY_TYPES


def begins_like_text(encoded: str) -> bool:
    """Whether what is encoded begins like a text, whatever is said of it; also where it cannot be decoded."""
    try:
        begin = base64.b64decode(encoded[:_LOOKED_AT], validate=True)
        return begin.isascii() and begin.decode("ascii").replace("\n", "").replace("\t", "").isprintable()
    except (binascii.Error, ValueError):
        return True
