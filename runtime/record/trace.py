"""Reading the record: single entries and whole runs, payloads decrypted.

It trusts the database; `verify` does not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, Select, select

from runtime.canonical import JsonValue
from runtime.db import streamed
from runtime.errors import LedgerIntegrityError
from runtime.record.keyring import KeyRing
from runtime.record.leaf import Leaf, decode_leaf
from runtime.record.payload import unseal
from runtime.tables.log import LogEntryRow, LogHeadRow, LogPayloadRow

_ENTRY = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its tables
_PAYLOAD = LogPayloadRow.__table__.c  # type: ignore[attr-defined]
_HEAD = LogHeadRow.__table__.c  # type: ignore[attr-defined]
_CHUNK = 256


class PayloadState(StrEnum):
    """What became of an entry's payload."""

    NONE = "none"  # it never had one
    PRESENT = "present"
    PURGED = "purged"  # the row, or the key of its month, is gone


@dataclass(frozen=True)
class Entry:
    """One entry with its payload. The payload is agent text: escape it before showing it."""

    leaf: Leaf
    payload_state: PayloadState
    payload: Mapping[str, JsonValue] | None


def read_entry(connection: Connection, keyring: KeyRing, seq: int) -> Entry:
    """Return one entry.

    Raises:
        LedgerIntegrityError: there is no such entry.
        CanonicalError: its leaf cannot be read.
        PayloadError: its payload is not the one its leaf commits to.
    """
    for entry in _entries(connection, keyring, _query().where(_ENTRY.seq == seq)):
        return entry
    raise LedgerIntegrityError(f"the record has no entry {seq}; run `handrail audit verify`")


def trace_run(connection: Connection, keyring: KeyRing, run: str) -> Iterator[Entry]:
    """Yield every entry of one run, in order (R-65).

    Raises:
        CanonicalError: a leaf cannot be read.
        PayloadError: a payload is not the one its leaf commits to.
    """
    return _entries(connection, keyring, _query().where(_ENTRY.run == run))


def tail(connection: Connection, keyring: KeyRing, *, after: int) -> Iterator[Entry]:
    """Yield the entries numbered above `after`, in order; -1 yields all.

    Raises:
        CanonicalError: a leaf cannot be read.
        PayloadError: a payload is not the one its leaf commits to.
    """
    return _entries(connection, keyring, _query().where(_ENTRY.seq > after))


def _query() -> Select[bytes, bytes | None]:
    joined = _ENTRY.seq == _PAYLOAD.seq
    return (
        select(_ENTRY.leaf, _PAYLOAD.sealed)
        .join_from(LogEntryRow, LogPayloadRow, joined, isouter=True)
        .order_by(_ENTRY.seq)
    )


def _entries(connection: Connection, keyring: KeyRing, query: Select[bytes, bytes | None]) -> Iterator[Entry]:
    origin = connection.execute(select(_HEAD.origin)).scalar_one()
    for row in streamed(connection, query, chunk=_CHUNK):
        yield _entry(connection, keyring, origin, row)


def _entry(connection: Connection, keyring: KeyRing, origin: str, row: Row[bytes, bytes | None]) -> Entry:
    leaf, sealed = decode_leaf(row[0]), row[1]
    if leaf.payload is None:
        return Entry(leaf, PayloadState.NONE, None)
    key = keyring.find(connection, leaf.payload.key)
    if sealed is None or key is None:
        return Entry(leaf, PayloadState.PURGED, None)
    payload = unseal(sealed, key, leaf.payload, origin=origin, seq=leaf.seq)
    return Entry(leaf, PayloadState.PRESENT, payload)
