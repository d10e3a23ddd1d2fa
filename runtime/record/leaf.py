"""The leaf: one entry's bytes, final and versioned (docs/decisions/0003-the-leaf.md).

    {"actor":…,"agent":…,"at":…,"data":{…},"deployment":…,"kind":…,"payload":null|{…},"run":…,"seq":…,
     "subject":…,"v":1}

in RFC 8785 form. The columns of `log_entry` are derived from it by `columns`, for writing and for verifying.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring as _quote
from typing import Any

from pydantic_core import from_json

from runtime.canonical import JsonValue, canonical, restore_tags
from runtime.errors import CanonicalError
from runtime.moments import utc_moment
from runtime.record.events import Event, EventKind
from runtime.record.payload import Commitment

VERSION = 1
COLUMNS = ("at", "kind", "actor", "agent", "deployment", "run", "subject")

_FIELDS = frozenset({*COLUMNS, "v", "seq", "data", "payload"})
_PAYLOAD_FIELDS = frozenset({"commit", "key", "sha256"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One entry, read back."""

    seq: int
    at: datetime
    kind: EventKind
    actor: str | None
    agent: str | None
    deployment: str | None
    run: str | None
    subject: str | None
    data: Mapping[str, JsonValue]
    payload: Commitment | None


def encode_leaf(seq: int, at: str, event: Event, payload: Commitment | None) -> bytes:
    """Return the bytes of one entry. `at` is the moment the log gives it, in `utc_text` form.

    Raises:
        CanonicalError: a value has no canonical form.
    """
    sealed = (
        "null"
        if payload is None
        else f'{{"commit":"{payload.commit}","key":"{payload.key}","sha256":"{payload.sha256}"}}'
    )
    # The keys stand in RFC 8785 order, so only values need encoding.
    text = (
        f'{{"actor":{_text(event.actor)},"agent":{_text(event.agent)},"at":"{at}","data":'
        f'{canonical(event.data).decode()},"deployment":{_text(event.deployment)},"kind":"{event.kind.value}",'
        f'"payload":{sealed},"run":{_text(event.run)},"seq":{seq},"subject":{_text(event.subject)},"v":{VERSION}}}'
    )
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CanonicalError(f"an event {event.kind} has a text that is not valid Unicode") from error


def decode_fields(leaf: bytes) -> dict[str, Any]:
    """Return the fields of a leaf as they stand in it.

    Raises:
        CanonicalError: the bytes are not a leaf of a version and shape that this code knows.
    """
    try:
        fields = from_json(leaf)
    except ValueError as error:
        raise CanonicalError(f"a leaf is not JSON: {error}") from error
    if not isinstance(fields, dict) or fields.keys() != _FIELDS or fields["v"] != VERSION:
        raise CanonicalError(f"a leaf does not have the fields of version {VERSION}")
    return fields


def decode_leaf(leaf: bytes) -> Leaf:
    """Read a leaf back.

    Raises:
        CanonicalError: the bytes are not a leaf of a version, shape and kind that this code knows.
    """
    fields = decode_fields(leaf)
    try:
        return Leaf(
            seq=fields["seq"],
            at=utc_moment(fields["at"]),
            kind=EventKind(fields["kind"]),
            data=_mapping(fields["data"]),
            payload=read_commitment(fields["payload"]),
            **{name: fields[name] for name in COLUMNS[2:]},
        )
    except (TypeError, ValueError) as error:
        raise CanonicalError(f"leaf {fields['seq']} cannot be read: {error}") from error


def read_commitment(value: object) -> Commitment | None:
    """Return what a leaf's `payload` field says.

    Raises:
        ValueError: it has another shape.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != _PAYLOAD_FIELDS:
        raise ValueError("the payload field has another shape")
    return Commitment(**value)


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    restored = restore_tags(value)
    if not isinstance(restored, Mapping):
        raise TypeError("the data field is not an object")
    return restored


def _text(value: str | None) -> str:
    return "null" if value is None else _quote(value)
