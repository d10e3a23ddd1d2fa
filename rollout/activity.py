"""What each deployment did in production on each UTC day, counted from the record a piece at a time (R-43).

It is derived, so it has no entries of its own. Each row names an entry that proves its day; a row whose entry
is another deployment's, another day's, an evaluation's or no action's counts nothing. Each piece is read
outside the writer, and its counts are added in one unit with how far it was read: twice, late or by two
processes, the sum is the same.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from profiles.setting import Setting
from runtime.gate.setting import is_of
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.cursor import advance, read_from
from runtime.record.events import EventKind
from runtime.record.leaf import decode_fields
from runtime.record.ledger import Ledger
from runtime.tables.log import LogEntryRow, LogHeadRow
from runtime.tables.monitor import ActivityDayRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_HEAD = LogHeadRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DAY = ActivityDayRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

SCAN: Final = "activity"
PIECE: Final = 5_000
"""Entries read at once; the unit that adds their counts stays short."""
PER_TICK: Final = 50_000
"""Entries read in one tick, so that a tick stays short after a long downtime."""
_COUNTS: Final = ("intents", "denied", "held", "suggested")
_ANSWERS: Final = {"deny": "denied", "hold": "held", "suggest": "suggested"}
_ACTIONS: Final = (EventKind.ACTION_INTENT.value, EventKind.ACTION_DECISION.value)


@dataclass
class _Day:
    """What one piece adds to one deployment's day."""

    proof: int
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was counted between two numbers of the record."""

    begin: int
    end: int
    days: Mapping[tuple[str, str], _Day]


def scan_activity(ledger: Ledger, *, most: int = PER_TICK) -> int:
    """Count what is new in the record; return how many entries were read.

    Args:
        ledger: the record.
        most: where to stop; the next tick goes on.
    """
    done = 0
    while done < most:
        with ledger.read() as conn:
            piece = _count(conn)
        if piece.end == piece.begin or not ledger.write_sync(partial(_add, piece=piece)):
            return done
        done += piece.end - piece.begin
    return done


def active_days(conn: Connection, deployment: str, since: datetime, until: datetime) -> frozenset[date]:
    """Return the UTC days from `since` to `until` on which a deployment provably did something."""
    return frozenset(date.fromisoformat(row.day) for row in _proven(conn, deployment, since, until))


def intents(conn: Connection, deployment: str, since: datetime, until: datetime) -> int:
    """Return how many actions a deployment began on the UTC days from `since` to `until`."""
    return sum(row.intents for row in _proven(conn, deployment, since, until))


def _proven(conn: Connection, deployment: str, since: datetime, until: datetime) -> list[Row[Any]]:
    query = (
        select(_DAY.c.day, _DAY.c.intents, _LOG.c.leaf)
        .join(_LOG, _LOG.c.seq == _DAY.c.proof)
        .where(
            _DAY.c.deployment == deployment,
            _DAY.c.day >= utc_text(since)[:10],
            _DAY.c.day <= utc_text(until)[:10],
            _LOG.c.deployment == deployment,
            _LOG.c.kind.in_(_ACTIONS),
            func.substr(_LOG.c.at, 1, 10) == _DAY.c.day,
        )
    )
    return [row for row in conn.execute(query) if is_of(decode_fields(row.leaf)["data"], Setting.PRODUCTION)]


def _count(conn: Connection) -> _Piece:
    begin = read_from(conn, SCAN)
    size = conn.execute(select(_HEAD.c.size)).scalar() or 0
    end = min(begin + PIECE, max(begin, size))
    query = select(_LOG.c.seq, _LOG.c.at, _LOG.c.kind, _LOG.c.deployment, _LOG.c.leaf).where(
        _LOG.c.seq >= begin, _LOG.c.seq < end, _LOG.c.kind.in_(_ACTIONS), _LOG.c.deployment.is_not(None)
    )
    return _Piece(begin, end, _by_day(conn.execute(query)))


def _by_day(rows: Iterable[Row[Any]]) -> dict[tuple[str, str], _Day]:
    found: dict[tuple[str, str], _Day] = {}
    for row in rows:
        data = decode_fields(row.leaf)["data"]
        if not is_of(data, Setting.PRODUCTION):
            continue
        day = found.setdefault((row.deployment, row.at[:10]), _Day(row.seq))
        intent = row.kind == EventKind.ACTION_INTENT.value
        what = "intents" if intent else _ANSWERS.get(str(data.get("answer")))
        if what is not None:
            day.counts[what] += 1
    return found


def _add(tx: Tx, piece: _Piece) -> bool:
    """Add a piece's counts, unless another process has read on meanwhile."""
    if not advance(tx, SCAN, piece.begin, piece.end):
        return False
    for (deployment, day), counted in piece.days.items():
        where = (_DAY.c.deployment == deployment, _DAY.c.day == day)
        more = {name: _DAY.c[name] + counted.counts[name] for name in _COUNTS}
        if tx.conn.execute(update(ActivityDayRow).where(*where).values(more)).rowcount == 0:
            first = {name: counted.counts[name] for name in _COUNTS}
            row = {"deployment": deployment, "day": day, "proof": counted.proof, **first}
            tx.conn.execute(insert(ActivityDayRow).values(row))
    return True
