"""A clock that stepped back: recorded, and every write of every deployment suspended with it (F2).

A step back would revive what has ended, were it not for the high-water mark; why it happened is for people to
find out. The suspension stands before any unit of the same transaction runs.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert

from runtime.canonical import JsonValue
from runtime.moments import utc_text
from runtime.record.batch import Batch
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.tables.suspensions import SuspensionRow

_ACTOR: Final = "handrail"
_REASON: Final = "the clock stepped back"


def note_step(connection: Connection, batch: Batch, *, clock: str, high_water: str, now: datetime) -> str:
    """Record a step and suspend all writes; return the suspension's id.

    Args:
        connection: of the transaction that found it.
        batch: the same transaction.
        clock: what the clock says, as `utc_text` wrote it.
        high_water: the last entry's moment.
        now: the moment of the transaction.
    """
    steps: dict[str, JsonValue] = {"clock": clock, "high_water": high_water}
    seq = batch.append(Event(kind=EventKind.CLOCK_ANOMALY, at=now, actor=_ACTOR, data=steps))
    id_, subject = f"susp-clock-{seq}", f"entry-{seq}"
    row = {"deployment": EVERYTHING, "effect": None, "code": SuspensionCode.CLOCK.value, "subject": subject}
    connection.execute(insert(SuspensionRow).values(id=id_, **row, reason=_REASON, set_at=now))
    data: dict[str, JsonValue] = {
        "effect": None,
        "code": SuspensionCode.CLOCK.value,
        "subject": subject,
        "reason": _REASON,
        "set_at": utc_text(now),
    }
    batch.append(
        Event(
            kind=EventKind.WRITES_SUSPENDED,
            at=now,
            actor=_ACTOR,
            deployment=EVERYTHING,
            subject=id_,
            data=data,
        )
    )
    return id_
