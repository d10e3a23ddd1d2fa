"""Export: the log as JSON lines, which anyone can verify without our code or our database.

The first line is `{"checkpoint": note, "v": 1}`: a signed note over the lines that follow. Each further line
is `{"leaf": text}`, in order: the leaf is that text in UTF-8, and RFC 6962 over them gives the note's
root. With payloads, a line also has `"payload"`: an object, or null when there is none (any more).
"""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, select

from runtime.db import streamed
from runtime.errors import LedgerIntegrityError
from runtime.record.keyring import KeyRing
from runtime.record.trace import tail
from runtime.tables.log import LogCheckpointRow, LogEntryRow

VERSION = 1

_ENTRY = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its tables
_CHECKPOINT = LogCheckpointRow.__table__.c  # type: ignore[attr-defined]
_CHUNK = 500


def export_log(connection: Connection, *, payloads: KeyRing | None = None) -> Iterator[str]:
    """Yield the lines, without line ends, up to the newest checkpoint.

    Args:
        connection: one consistent view.
        payloads: opens the payloads; unset: they are left out.

    Raises:
        LedgerIntegrityError: there is no checkpoint yet.
        CanonicalError: a leaf cannot be read.
        PayloadError: a payload is not the one its leaf commits to.
    """
    query = select(_CHECKPOINT.size, _CHECKPOINT.note).order_by(_CHECKPOINT.size.desc()).limit(1)
    newest = connection.execute(query).first()
    if newest is None:
        raise LedgerIntegrityError(
            "the record has no checkpoint to export up to; start `handrail serve` once"
        )
    yield json.dumps({"checkpoint": newest.note, "v": VERSION}, ensure_ascii=False)
    leaves = _leaves(connection, newest.size)
    yield from (
        (_line(leaf) for leaf in leaves) if payloads is None else _with_payloads(connection, payloads, leaves)
    )


def _with_payloads(connection: Connection, keyring: KeyRing, leaves: Iterator[bytes]) -> Iterator[str]:
    for leaf, entry in zip(leaves, tail(connection, keyring, after=-1), strict=False):
        payload = json.dumps(entry.payload, ensure_ascii=False)
        yield f'{_line(leaf)[:-1]}, "payload": {payload}}}'


def _line(leaf: bytes) -> str:
    return json.dumps({"leaf": leaf.decode()}, ensure_ascii=False)


def _leaves(connection: Connection, size: int) -> Iterator[bytes]:
    query = select(_ENTRY.leaf).where(_ENTRY.seq < size).order_by(_ENTRY.seq)
    for (leaf,) in streamed(connection, query, chunk=_CHUNK):
        yield leaf
