"""What an alert costs the deployments that it is about: their writes, for a while."""

from datetime import datetime

from sqlalchemy import Connection, select

from runtime.alerts.rules import SYSTEM
from runtime.record.batch import Tx
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import suspend
from runtime.tables.alerts import AlertOccurrenceRow

_ONCE = AlertOccurrenceRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def suspend_overdue(
    tx: Tx, alert: str, *, agent: str, deployment: str | None, reason: str, now: datetime
) -> None:
    """Suspend the writes of every deployment that an alert is about, which nobody reviewed in time."""
    for one in _deployments(tx.conn, alert, agent, deployment):
        code = SuspensionCode.ALERT_OVERDUE
        suspend(tx, one, effect=None, code=code, subject=alert, reason=reason, now=now)


def suspend_unexplained(
    tx: Tx, alert: str, incident: str, *, agent: str, deployment: str | None, now: datetime
) -> None:
    """Suspend the writes of every deployment that an alert is about, which nobody can explain (R-54)."""
    reason = f"nobody can explain alert {alert}"
    for one in _deployments(tx.conn, alert, agent, deployment):
        code = SuspensionCode.UNEXPLAINED
        suspend(tx, one, effect=None, code=code, subject=incident, reason=reason, now=now)


def _deployments(conn: Connection, alert: str, agent: str, deployment: str | None) -> tuple[str, ...]:
    """Return the deployments that an alert is about; all of them for an alert about Handrail itself."""
    if agent == SYSTEM:
        return (EVERYTHING,)
    seen = conn.execute(select(_ONCE.c.deployment).where(_ONCE.c.alert == alert).distinct()).scalars()
    return tuple(sorted({one for one in (deployment, *seen) if one is not None}))
