"""Purge: take payloads out of the record. The leaves stay, so proofs still hold; the purge is an entry."""

from datetime import datetime

from sqlalchemy import delete

from runtime.canonical import JsonValue
from runtime.errors import LedgerError
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.log import LogPayloadRow

_PAYLOAD = LogPayloadRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table


def purge_payloads(tx: Tx, *, first: int, last: int, actor: str, reason: str, now: datetime) -> int:
    """Delete the payloads of the entries `first` to `last` in this transaction, and record it.

    Args:
        tx: the running unit.
        first: number of the first entry.
        last: number of the last one, included.
        actor: the person who asked for it.
        reason: why; it stands in the log, readable.
        now: the moment.

    Returns:
        how many payloads were deleted.

    Raises:
        LedgerError: the range is empty, or reaches beyond what is committed.
    """
    if not 0 <= first <= last < tx.committed:
        raise LedgerError(
            f"cannot purge entries {first} to {last}; expected 0 <= first <= last < {tx.committed}"
        )
    statement = delete(LogPayloadRow).where(_PAYLOAD.seq >= first, _PAYLOAD.seq <= last)
    deleted = tx.conn.execute(statement).rowcount
    data: dict[str, JsonValue] = {"first": first, "last": last, "deleted": deleted, "reason": reason}
    tx.append(Event(kind=EventKind.PAYLOAD_PURGED, at=now, actor=actor, data=data))
    return deleted
