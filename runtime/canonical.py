"""The one byte form of a value, used for digests, signatures and leaves: RFC 8785 (JCS).

RFC 8785 has no integers beyond 2^53-1. Ours become tagged strings, `"#int:9223372036854775807"`. A text
that begins with one of our tags gets the tag `#str:` in front, so two different values never share one form.

The encoder is our own for speed (a property test holds it equal to the `rfc8785` package); floats, whose
shortest form is the hard part, are left to that package.
"""

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as _quote
from typing import Final, TypeAlias

import rfc8785

from runtime.errors import CanonicalError

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

MAX_SAFE_INTEGER = 2**53 - 1
MAX_DEPTH = 128

_INT_TAG = "#int:"
_TEXT_TAG = "#str:"
_TAGS = (_INT_TAG, _TEXT_TAG)
_MAX_BITS = 4096
_OBJECTS: Final = (dict, Mapping)  # the plain type first: to ask for the other costs as much as a word
_ARRAYS: Final = (list, tuple)


def canonical(value: JsonValue) -> bytes:
    """Return the canonical bytes of `value`.

    Raises:
        CanonicalError: a number is not finite or too long, a text is not valid Unicode, a key is not text,
            a type has no JSON form, or the nesting is deeper than `MAX_DEPTH`.
    """
    try:
        return _encode(value, MAX_DEPTH).encode()
    except UnicodeEncodeError as error:
        raise CanonicalError("a text holds a lone surrogate; expected valid Unicode") from error


def parse_canonical(data: bytes) -> JsonValue:
    """Return the value whose canonical bytes are `data`; tagged integers and texts are restored.

    Raises:
        CanonicalError: the bytes are not JSON in UTF-8.
    """
    try:
        return restore_tags(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise CanonicalError(f"cannot read canonical bytes: {error}") from error


def restore_tags(value: JsonValue) -> JsonValue:
    """Return a parsed value with tagged integers and texts put back."""
    if isinstance(value, str):
        return _restore_text(value)
    if isinstance(value, Mapping):
        return {key: restore_tags(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [restore_tags(item) for item in value]
    return value


def _restore_text(text: str) -> int | str:
    if text.startswith(_INT_TAG):
        return int(text.removeprefix(_INT_TAG))
    return text.removeprefix(_TEXT_TAG)


def _encode(value: JsonValue, depth: int) -> str:
    if isinstance(value, str):
        return _quote(_TEXT_TAG + value if value.startswith(_TAGS) else value)
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    if isinstance(value, int):
        return _encode_integer(value)
    if isinstance(value, float):
        return _encode_float(value)
    if depth == 0:
        raise CanonicalError(f"a value is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, _OBJECTS):
        return _encode_object(value, depth - 1)
    if isinstance(value, _ARRAYS):
        return "[" + ",".join([_encode(item, depth - 1) for item in value]) + "]"
    raise CanonicalError(f"a {type(value).__name__} is not a JSON value")


_CONSTANTS: Mapping[bool | None, str] = {None: "null", True: "true", False: "false"}


def _encode_integer(value: int) -> str:
    if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return int.__repr__(value)
    if value.bit_length() > _MAX_BITS:
        raise CanonicalError(f"an integer has {value.bit_length()} bits; expected at most {_MAX_BITS}")
    return f'"{_INT_TAG}{int.__repr__(value)}"'


def _encode_float(value: float) -> str:
    try:
        return rfc8785.dumps(float(value)).decode()
    except rfc8785.CanonicalizationError as error:
        raise CanonicalError(f"number {value!r} has no canonical form; expected a finite number") from error


def _encode_object(value: Mapping[str, JsonValue], depth: int) -> str:
    try:
        keys = sorted(value, key=None if "".join(value).isascii() else _utf16_order)
    except TypeError as error:
        raise CanonicalError("an object has a key that is not text") from error
    return "{" + ",".join([f"{_quote(key)}:{_encode(value[key], depth)}" for key in keys]) + "}"


def _utf16_order(key: str) -> bytes:
    return key.encode("utf-16-be")
