"""What the clock really observed: heartbeats, and from them the time that counts (F1, F14).

- A heartbeat is a unit of the record, so none is written while nothing can be recorded.
- A gap of more than `GAP` ends a span; the next heartbeat begins a new one, and the gap earns nothing.
- A span's row only carries its end from one entry of the record to the next. What counts is in the record,
  and a row counts for little more than the hour between two entries: nobody gains time by hand.
- Time counts on days on which the deployment did something. Silence earns nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import Connection, func, insert, select, update

from rollout.activity import active_days
from runtime.moments import utc_moment, utc_text
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.log import OBSERVED, LogEntryRow
from runtime.tables.monitor import HeartbeatSpanRow

_SPAN = HeartbeatSpanRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

GAP: Final = timedelta(minutes=5)
RECORDED_EVERY: Final = timedelta(hours=1)
_UNRECORDED: Final = RECORDED_EVERY + GAP
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time through which monitor and record were seen to work."""

    began_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Observed:
    """How much of a window counts.

    Attributes:
        seconds: of heartbeats on days with activity.
        active_days: UTC days with activity.
        watched_seconds: of heartbeats on any day; the rest of the window is the monitor's gap.
    """

    seconds: float
    active_days: int
    watched_seconds: float


def beat(tx: Tx, now: datetime) -> None:
    """Give a sign of life; every tick does. A clock that went back adds nothing until it has caught up."""
    row = tx.conn.execute(select(_SPAN).order_by(_SPAN.c.last_at.desc()).limit(1)).first()
    if row is None or now - row.last_at > GAP:
        tx.conn.execute(insert(HeartbeatSpanRow).values(began_at=now, last_at=now))
        _record(tx, now, now)
    elif now > row.last_at:
        tx.conn.execute(update(HeartbeatSpanRow).where(_SPAN.c.began_at == row.began_at).values(last_at=now))
        if _hour(now) != _hour(row.last_at):
            _record(tx, row.began_at, now)


def observed(conn: Connection, deployment: str, since: datetime, until: datetime) -> Observed:
    """Return how much of a window counts for a deployment.

    Args:
        conn: a view of the database.
        deployment: the deployment's digest.
        since: when the window began.
        until: its end, the present moment for the window in force.
    """
    days = active_days(conn, deployment, since, until)
    found = spans(conn, since)
    everyday = [_clipped(span, since, until) for span in found]
    watched = sum(((end - begin).total_seconds() for begin, end in everyday if end > begin), start=0.0)
    return Observed(credited(found, days, since=since, until=until), len(days), watched)


def last_heartbeat(conn: Connection, *, now: datetime) -> datetime | None:
    """Return the monitor's last sign of life; None: it never gave one."""
    found = spans(conn, now - _DAY) or spans(conn, None)
    return found[-1].last_at if found else None


def spans(conn: Connection, since: datetime | None) -> tuple[Span, ...]:
    """Return the spans that reach beyond `since`, in order and apart, as the record has them."""
    at = func.max(_LOG.c.at)
    query = select(_LOG.c.subject, at).where(_LOG.c.kind == OBSERVED)
    rows = select(_SPAN.c.began_at, _SPAN.c.last_at)
    if since is not None:
        query = query.where(_LOG.c.at >= utc_text(since - _UNRECORDED))
        rows = rows.where(_SPAN.c.last_at >= since)
    recorded = {
        utc_moment(began): utc_moment(last) for began, last in conn.execute(query.group_by(_LOG.c.subject))
    }
    carried = {row.began_at: row.last_at for row in conn.execute(rows)}
    return _apart(Span(began, _end(last, carried.get(began))) for began, last in recorded.items())


def credited(found: Sequence[Span], days: Collection[date], *, since: datetime, until: datetime) -> float:
    """Return the seconds of the spans that lie in a window and on one of these UTC days. Pure."""
    total = timedelta(0)
    for span in found:
        begin, end = _clipped(span, since, until)
        while begin < end:
            midnight = datetime.combine(begin.date() + _DAY, time(), begin.tzinfo)
            if begin.date() in days:
                total += min(end, midnight) - begin
            begin = midnight
    return total.total_seconds()


def _record(tx: Tx, began_at: datetime, now: datetime) -> None:
    tx.append(Event(kind=EventKind.MONITOR_OBSERVED, at=now, actor="rollout", subject=utc_text(began_at)))


def _hour(moment: datetime) -> str:
    return utc_text(moment)[:13]


def _end(recorded: datetime, carried: datetime | None) -> datetime:
    if carried is None or carried <= recorded:
        return recorded
    return min(carried, recorded + _UNRECORDED)


def _clipped(span: Span, since: datetime, until: datetime) -> tuple[datetime, datetime]:
    return max(span.began_at, since), min(span.last_at, until)


def _apart(found: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in order, each beginning where the one before had ended at the earliest."""
    kept: list[Span] = []
    for span in sorted(found, key=lambda one: one.began_at):
        began = max(span.began_at, kept[-1].last_at) if kept else span.began_at
        if span.last_at >= began:
            kept.append(Span(began, span.last_at))
    return tuple(kept)
