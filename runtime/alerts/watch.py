"""What the clock does about alerts: overdue ones, incidents that wait for a leader, rows that went missing.

Every step may be repeated: what was done once is not done again. One step takes a few, so that no action
waits long behind it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import RowMapping, insert, select, update

from profiles.policy import Policy
from runtime.alerts.book import raise_alert
from runtime.alerts.consequences import suspend_overdue
from runtime.alerts.incidents import open_incident
from runtime.alerts.rows import read_alerts
from runtime.alerts.rules import SYSTEM, AlertRule, AlertState, Deviation, IncidentCause
from runtime.alerts.words import Alert
from runtime.moments import utc_text
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.people.statement import StatementType
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.alerts import AlertRow, IncidentRow
from runtime.tables.log import ALERT, LogEntryRow
from runtime.tables.people import StatementRow

STEP: Final = 50
"""How many of each one step takes."""
REMINDERS: Final = tuple(timedelta(hours=hours) for hours in (12, 24, 48))
"""After what time a leader is reminded of an incident (F26)."""

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Watched:
    """What one step did.

    Attributes:
        restored: alerts whose rows were gone, or closed without a word.
        overdue: alerts that nobody reviewed in time.
        reminded: incidents of which leadership was reminded.
    """

    restored: tuple[str, ...] = ()
    overdue: tuple[str, ...] = ()
    reminded: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether nothing was left to do."""
        return not (self.restored or self.overdue or self.reminded)


def watch(tx: Tx, *, policy: Policy) -> Watched:
    """Take one step; call it again until it is done."""
    restored = _restore(tx, policy)
    overdue = _overdue(tx)
    return Watched(restored, overdue, _remind(tx))


def _overdue(tx: Tx) -> tuple[str, ...]:
    """Suspend writes for alerts past their time, and tell leadership; once for each (R-27)."""
    query = select(_ALERT).where(
        _ALERT.c.state == AlertState.OPEN.value,
        _ALERT.c.due_at <= tx.now,
        _ALERT.c.overdue_at.is_(None),
    )
    rows = tx.conn.execute(query.order_by(_ALERT.c.due_at, _ALERT.c.id).limit(STEP)).mappings().all()
    for row in rows:
        _let_overdue(tx, AlertRow(**row))
    return tuple(row["id"] for row in rows)


def _let_overdue(tx: Tx, alert: AlertRow) -> None:
    tx.conn.execute(update(AlertRow).where(_ALERT.c.id == alert.id).values(overdue_at=tx.now))
    tx.append(
        Event(
            kind=EventKind.ALERT_OVERDUE,
            at=tx.now,
            actor="handrail",
            agent=alert.agent,
            deployment=alert.deployment,
            subject=alert.id,
            data={"due_at": utc_text(alert.due_at), "rule": alert.rule},
        )
    )
    agent, deployment = alert.agent, alert.deployment
    reason = f"alert {alert.id} was due for review at {utc_text(alert.due_at)}"
    suspend_overdue(tx, alert.id, agent=agent, deployment=deployment, reason=reason, now=tx.now)
    cause = IncidentCause.OVERDUE
    open_incident(tx, cause, agent=agent, deployment=deployment, alert=alert.id, now=tx.now)


def _remind(tx: Tx) -> tuple[str, ...]:
    """Remind leadership of incidents that wait; after a downtime once, not once for each that was missed."""
    due = [
        (_INCIDENT.c.reminded == count) & (_INCIDENT.c.opened_at <= tx.now - after)
        for count, after in enumerate(REMINDERS)
    ]
    query = select(_INCIDENT).where(_INCIDENT.c.acknowledged_at.is_(None), due[0] | due[1] | due[2])
    rows = tx.conn.execute(query.order_by(_INCIDENT.c.opened_at, _INCIDENT.c.id).limit(STEP)).mappings().all()
    for row in rows:
        waited = tx.now - row["opened_at"]
        count = sum(after <= waited for after in REMINDERS)
        tx.conn.execute(update(IncidentRow).where(_INCIDENT.c.id == row["id"]).values(reminded=count))
        tx.append(_reminded(row, count, tx.now))
        facts = {"agent": row["agent"], "cause": row["cause"], "hours": int(waited / timedelta(hours=1))}
        put(tx, NoticeKind.REMINDER, row["id"], Route.LEADERSHIP, facts=facts, now=tx.now)
    return tuple(row["id"] for row in rows)


def _reminded(row: RowMapping, count: int, now: datetime) -> Event:
    return Event(
        kind=EventKind.INCIDENT_REMINDED,
        at=now,
        actor="handrail",
        agent=row["agent"],
        deployment=row["deployment"],
        subject=row["id"],
        data={"reminded": count},
    )


def _restore(tx: Tx, policy: Policy) -> tuple[str, ...]:
    """Write again the rows of alerts that the record knows and that nobody closed in words."""
    found = [one for id_ in _lost(tx) for one in read_alerts(tx.conn, alert=id_)]
    lost = [alert for alert in found if _write_again(tx, alert)]
    if lost:
        tampered = Deviation(agent=SYSTEM, rule=AlertRule.AUDIT, tool="alerts", resource="rows")
        raise_alert(tx, tampered, policy=policy, now=tx.now)
    return tuple(alert.id for alert in lost)


def _lost(tx: Tx) -> tuple[str, ...]:
    open_ = select(_ALERT.c.id).where(_ALERT.c.id == _LOG.c.subject, _ALERT.c.state == AlertState.OPEN.value)
    word = select(_SAID.c.id).where(
        _SAID.c.subject == _LOG.c.subject, _SAID.c.type == StatementType.DISPOSITION.value
    )
    query = select(_LOG.c.subject).where(
        _LOG.c.kind == ALERT, _LOG.c.subject.is_not(None), ~open_.exists(), ~word.exists()
    )
    return tuple(tx.conn.execute(query.order_by(_LOG.c.seq).limit(STEP)).scalars())


def _write_again(tx: Tx, alert: Alert) -> bool:
    """Open an alert's row again, unless another open one counts the same deviation now."""
    twin = select(_ALERT.c.id).where(
        _ALERT.c.fingerprint == alert.fingerprint, _ALERT.c.state == AlertState.OPEN.value
    )
    if tx.conn.execute(twin).first():
        return False
    state = {"state": AlertState.OPEN.value, "closed_at": None}
    if tx.conn.execute(update(AlertRow).where(_ALERT.c.id == alert.id).values(state)).rowcount:
        return True
    tx.conn.execute(insert(AlertRow).values(**_row(alert), **state))
    return True


def _row(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "fingerprint": alert.fingerprint,
        "agent": alert.agent,
        "deployment": alert.deployment,
        "rule": alert.rule,
        "severity": alert.severity.value,
        "tool": alert.tool,
        "resource": alert.resource,
        "count": alert.count,
        "first_at": alert.first_at,
        "last_at": alert.last_at,
        "due_at": alert.due_at,
    }
