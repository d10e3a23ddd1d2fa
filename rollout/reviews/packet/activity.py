"""What was watched and what happened in a window: heartbeats, days, and the part of the record it spans.

The record's entries never go backwards in time, so a window is a range of entry numbers, found by bisection.
Of those only the entries of the deployment's own runs are read, by the record's index of runs.
"""

from collections import Counter
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy import Connection, Select, func, or_, select

from rollout.monitor import spans
from rollout.reviews.packet.model import Day, Window
from runtime.gate.setting import may_be_production
from runtime.gate.states import ActionState
from runtime.moments import utc_text
from runtime.record.events import EventKind
from runtime.tables.actions import ActionRow, SeenRow
from runtime.tables.agents import RunRow
from runtime.tables.log import LogEntryRow, LogHeadRow

_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_HEAD = LogHeadRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ACTION = ActionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SEEN = SeenRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

AFTERLIFE: Final = timedelta(days=2)
"""A held write that was approved may be carried out when its run has ended, and no hold lasts longer."""
UNINDEXED_KIND: Final = func.coalesce(_LOG.c.kind, "")
"""The kind, kept from its index: every agent's actions share a few kinds, so runs lead to the entries."""
_DECIDED = (EventKind.ACTION_DECISION.value, EventKind.ACTION_INTENT.value)
_SERIES: Final = {
    ActionState.DONE: "carried_out",
    ActionState.ANSWERED: "carried_out",
    ActionState.UNKNOWN: "carried_out",  # it may have happened, so it counts as if it had
    ActionState.INTENT: "carried_out",
    ActionState.DENIED: "denied",
    ActionState.HELD: "held",
    ActionState.SUGGESTED: "suggested",
}
"""Which number of a day an action counts for; one that failed certainly did not happen and is a pattern."""


def entries_in(conn: Connection, begin: datetime, end: datetime) -> range:
    """Return the numbers of the entries from `begin` up to, and without, `end`."""
    size = conn.execute(select(_HEAD.c.size)).scalar_one()
    return range(_first(conn, size, utc_text(begin)), _first(conn, size, utc_text(end)))


def runs_of(deployment: str, window: Window) -> Select[tuple[str]]:
    """Return the query for the runs that may have acted in a window."""
    return select(_RUN.c.id).where(
        _RUN.c.deployment == deployment,
        _RUN.c.requested_at < window.end,
        or_(_RUN.c.ended_at.is_(None), _RUN.c.ended_at >= window.begin - AFTERLIFE),
    )


def window_of(conn: Connection, begin: datetime, end: datetime) -> Window:
    """Return how much of a window the monitor saw, as the record proves it (F1)."""
    clipped = ((max(span.began_at, begin), min(span.last_at, end)) for span in spans(conn, begin))
    seen = sum((last - began for began, last in clipped if began < last), timedelta(0))
    observed = int(seen.total_seconds())
    return Window(begin, end, observed, int((end - begin).total_seconds()) - observed)


def days_of(conn: Connection, deployment: str, window: Window) -> tuple[Day, ...]:
    """Count a deployment's actions in production by the UTC day of their decision; no empty day is told."""
    runs = runs_of(deployment, window)
    entries = entries_in(conn, window.begin, window.end)
    day = func.substr(_LOG.c.at, 1, 10).label("day")
    query = (
        select(day, _ACTION.c.state, func.count(_ACTION.c.id.distinct()).label("number"))
        .join(_ACTION, _ACTION.c.id == _LOG.c.subject)
        .where(
            _LOG.c.run.in_(runs),
            _LOG.c.seq >= entries.start,
            _LOG.c.seq < entries.stop,
            UNINDEXED_KIND.in_(_DECIDED),
            may_be_production(_LOG.c.leaf),
        )
        .group_by(day, _ACTION.c.state)
        .order_by(day)
    )
    rows = conn.execute(query).all()
    return tuple(
        _day(name, {row.state: row.number for row in found})
        for name, found in groupby(rows, lambda row: row.day)
    )


def first_seen(conn: Connection, deployment: str, window: Window) -> int:
    """Count the places, recipients and shapes that a deployment reached for the first time in a window."""
    query = (
        select(func.count())
        .select_from(_SEEN)
        .join(_ACTION, _ACTION.c.id == _SEEN.c.first_action)
        .where(
            _SEEN.c.deployment == deployment,
            _ACTION.c.decided_at >= window.begin,
            _ACTION.c.decided_at < window.end,
        )
    )
    return int(conn.execute(query).scalar_one())


def _day(name: str, states: dict[str, int]) -> Day:
    counted = Counter[str]()
    for state, series in _SERIES.items():
        counted[series] += states.get(state.value, 0)
    return Day(name, counted["carried_out"], counted["denied"], counted["held"], counted["suggested"])


def _first(conn: Connection, size: int, moment: str) -> int:
    """Return the number of the first entry that is not before a moment."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        at = conn.execute(select(_LOG.c.at).where(_LOG.c.seq == middle)).scalar()
        low, high = (middle + 1, high) if at is not None and at < moment else (low, middle)
    return low
