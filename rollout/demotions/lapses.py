"""Lapses of time: rules that were not renewed by the end of the day, and actions that nobody watched.

Both raise an alert once: its occurrence carries the id of what lapsed.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection, func, select

from profiles.effects import Tier
from profiles.policy import Policy
from rollout.demotions.falls import Fall, fall
from rollout.demotions.progress import move_to, read_from
from rollout.demotions.rules import day_is_over, went_unwatched
from rollout.monitor import spans
from runtime.alerts.book import raise_alert
from runtime.alerts.rules import SYSTEM, AlertRule, Deviation
from runtime.demotion import DemotionCause
from runtime.deployments import PRESENT
from runtime.moments import utc_text
from runtime.record.batch import Tx
from runtime.record.events import EventKind
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import suspend
from runtime.tables.agents import DeploymentRow
from runtime.tables.alerts import AlertOccurrenceRow
from runtime.tables.log import LogEntryRow
from runtime.tables.suspensions import SuspensionRow

_CURSOR: Final = "heartbeat-gaps"
_CLOCK: Final = "clock-anomalies"
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ONCE = AlertOccurrenceRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SUSPENSION = SuspensionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def end_of_day(tx: Tx, *, policy: Policy) -> tuple[Fall, ...]:
    """Take deployments to tier 0 whose rules changed on an earlier day, and which nothing replaced (R-37)."""
    query = (
        select(_SUSPENSION.c.id, _SUSPENSION.c.set_at, _DEPLOYMENT.c.digest, _DEPLOYMENT.c.agent)
        .join(_DEPLOYMENT, _DEPLOYMENT.c.digest == _SUSPENSION.c.deployment)
        .where(_SUSPENSION.c.code == SuspensionCode.OUTDATED.value, PRESENT)
    )
    rows = tx.conn.execute(query.order_by(_SUSPENSION.c.id)).all()
    late = [row for row in rows if day_is_over(row.set_at, tx.now, policy.time_zone)]
    falls = [one for row in late for one in fall(tx, row.digest, Tier.OBSERVE, DemotionCause.OUTDATED)]
    for row in late:
        _alert_once(
            tx,
            Deviation(
                agent=row.agent,
                rule=AlertRule.OUTDATED,
                tool="profile",
                resource="profile",
                deployment=row.digest,
                action=row.id,
            ),
            policy,
        )
    return tuple(falls)


def look_for_gaps(tx: Tx, *, policy: Policy) -> tuple[str, ...]:
    """Suspend all writes if agents acted while nobody watched for too long (F1, F18); return suspensions.

    A gap without a single intent, as when serve was down, took nothing out of sight: it only earns nothing.
    """
    found = []
    for last, began in _gaps(tx.conn, policy.alerts.heartbeat_hours, since=read_from(tx.conn, _CURSOR)):
        if _acted(tx.conn, last, began):
            found.append(_suspend(tx, last, began))
            name = f"gap-{utc_text(began)}"
            _alert_once(
                tx, Deviation(agent=SYSTEM, rule=AlertRule.HEARTBEAT, tool="monitor", action=name), policy
            )
        move_to(tx, _CURSOR, int(began.timestamp()) + 1)
    return tuple(id_ for id_ in found if id_ is not None)


def _gaps(conn: Connection, hours: int, *, since: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield (last beat before, first beat after) of each gap that no earlier look has seen."""
    for before, after in pairwise(spans(conn, datetime.fromtimestamp(since, UTC) if since else None)):
        is_new = int(after.began_at.timestamp()) >= since  # what was told of may be within reach again
        if is_new and went_unwatched(before.last_at, after.began_at, hours=hours):
            yield before.last_at, after.began_at


def _acted(conn: Connection, last: datetime, began: datetime) -> bool:
    query = select(func.count()).where(
        _LOG.c.kind == EventKind.ACTION_INTENT.value,
        _LOG.c.at > utc_text(last),
        _LOG.c.at < utc_text(began),
    )
    return bool(conn.execute(query).scalar_one())


def _suspend(tx: Tx, last: datetime, began: datetime) -> str | None:
    return suspend(
        tx,
        EVERYTHING,
        effect=None,
        code=SuspensionCode.HEARTBEAT,
        subject=f"gap-{utc_text(began)}",
        reason=f"agents acted while the monitor was silent, from {utc_text(last)} to {utc_text(began)}",
        now=tx.now,
    )


def tell_of_clock(tx: Tx, *, policy: Policy) -> int:
    """Raise an alert for each step of the clock that the record saw (F2); return how many."""
    query = select(_LOG.c.seq).where(
        _LOG.c.kind == EventKind.CLOCK_ANOMALY.value, _LOG.c.seq >= read_from(tx.conn, _CLOCK)
    )
    steps = tx.conn.execute(query.order_by(_LOG.c.seq)).scalars().all()
    for seq in steps:
        found = Deviation(agent=SYSTEM, rule=AlertRule.CLOCK, tool="clock", action=f"entry-{seq}")
        raise_alert(tx, found, policy=policy, now=tx.now)
        move_to(tx, _CLOCK, seq + 1)
    return len(steps)


def _alert_once(tx: Tx, deviation: Deviation, policy: Policy) -> None:
    query = select(_ONCE.c.id).where(
        _ONCE.c.fingerprint == deviation.fingerprint, _ONCE.c.action == deviation.action
    )
    if tx.conn.execute(query).first() is None:
        raise_alert(tx, deviation, policy=policy, now=tx.now)
