"""Raising alerts: in the unit that saw the deviation, so that neither is there without the other.

- While an alert is open, the same deviation again is counted on it; `due_at` stays that of the first (R-27).
- Every occurrence is kept, also when its alert is closed: the third in the rolling window opens an incident,
  whoever closed the first two (R-52, F11, F12).
- Two counts decide about a pattern: those of the fingerprint, over all deployments of the agent, and those of
  the rule in one deployment, so that going from tool to tool hides nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from profiles.policy import AlertRules, Policy
from runtime.alerts.incidents import open_incident, standing_incident
from runtime.alerts.rules import AT_ONCE, AlertState, Deviation, IncidentCause, Severity
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.alerts import AlertOccurrenceRow, AlertRow, IncidentRow
from runtime.tables.types import utc_text

MOST_HOURS: Final = 24
"""No policy gives more hours for the review of an alert (R-27)."""

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ONCE = AlertOccurrenceRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class RaisedAlert:
    """What became of a deviation.

    Attributes:
        id: of its alert.
        is_new: whether it opened the alert; else it was counted on an open one.
        count: occurrences on this alert so far.
        incidents: ids of the incidents that it opened.
    """

    id: str
    is_new: bool
    count: int
    incidents: tuple[str, ...] = ()


def raise_alert(tx: Tx, deviation: Deviation, *, policy: Policy, now: datetime) -> RaisedAlert:
    """Raise an alert, or count the deviation on the one that is open.

    Args:
        tx: the unit that saw the deviation.
        deviation: what happened.
        policy: in force; it may only shorten the time that people have.
        now: the present moment, never before the record's high-water mark.
    """
    open_ = tx.conn.execute(
        select(_ALERT.c.id, _ALERT.c.count.label("times")).where(
            _ALERT.c.fingerprint == deviation.fingerprint, _ALERT.c.state == AlertState.OPEN.value
        )
    ).first()
    alert, count = (open_.id, open_.times + 1) if open_ else (_id_of(tx.conn, deviation, now), 1)
    if open_:
        tx.conn.execute(update(AlertRow).where(_ALERT.c.id == alert).values(count=count, last_at=now))
    else:
        _open(tx, alert, deviation, policy.alerts, now)
    _keep(tx, alert, deviation, count, now)
    incidents = _incidents(tx, alert, deviation, policy.alerts, now)
    return RaisedAlert(alert, not open_, count, incidents)


def pattern_count(conn: Connection, fingerprint: str, *, rules: AlertRules, now: datetime) -> int:
    """Return how often a pattern happened in the rolling window, on closed alerts too; for people to read."""
    since = now - timedelta(days=rules.pattern_days)
    query = select(func.count()).where(_ONCE.c.fingerprint == fingerprint, _ONCE.c.at > since)
    return int(conn.execute(query).scalar_one())


def _open(tx: Tx, alert: str, deviation: Deviation, rules: AlertRules, now: datetime) -> None:
    due_at = now + timedelta(hours=min(MOST_HOURS, rules.review_hours))
    facts = {
        "fingerprint": deviation.fingerprint,
        "rule": deviation.rule.value,
        "severity": deviation.severity.value,
        "tool": deviation.tool,
        "resource": deviation.resource,
    }
    row = {
        "id": alert,
        "agent": deviation.agent,
        "deployment": deviation.deployment,
        "state": AlertState.OPEN.value,
        "count": 1,
        "first_at": now,
        "last_at": now,
        "due_at": due_at,
        **facts,
    }
    tx.conn.execute(insert(AlertRow).values(row))
    tx.append(
        Event(
            kind=EventKind.ALERT_RAISED,
            at=tx.now,
            actor="handrail",
            agent=deviation.agent,
            deployment=deviation.deployment,
            run=deviation.run,
            subject=alert,
            data={**facts, "first_at": utc_text(now), "due_at": utc_text(due_at)},
            payload=None if deviation.detail is None else {"detail": deviation.detail},
        )
    )
    if deviation.severity is not Severity.LOW:
        told = {"agent": deviation.agent, "rule": facts["rule"], "severity": facts["severity"]}
        put(tx, NoticeKind.ALERT, alert, Route.OPERATORS, facts={**told, "due_at": utc_text(due_at)}, now=now)


def _keep(tx: Tx, alert: str, deviation: Deviation, count: int, now: datetime) -> None:
    row = {
        "id": f"{alert}-{count}",
        "fingerprint": deviation.fingerprint,
        "alert": alert,
        "deployment": deviation.deployment,
        "run": deviation.run,
        "action": deviation.action,
        "at": now,
    }
    tx.conn.execute(insert(AlertOccurrenceRow).values(row))


def _incidents(tx: Tx, alert: str, deviation: Deviation, rules: AlertRules, now: datetime) -> tuple[str, ...]:
    causes = []
    at_once = AT_ONCE.get(deviation.rule)
    if at_once is not None and standing_incident(tx.conn, deviation.fingerprint, at_once) is None:
        causes.append(at_once)
    if _is_pattern(tx.conn, deviation, rules, now):
        causes.append(IncidentCause.PATTERN)
    return tuple(
        open_incident(tx, cause, agent=deviation.agent, deployment=deviation.deployment, alert=alert, now=now)
        for cause in causes
    )


def _is_pattern(conn: Connection, deviation: Deviation, rules: AlertRules, now: datetime) -> bool:
    """Whether it happened often enough since the window began and since it was last an incident."""
    if deviation.severity is Severity.LOW:
        return False
    same = _ALERT.c.fingerprint == deviation.fingerprint
    alike = (_ALERT.c.deployment == deviation.deployment) & (_ALERT.c.rule == deviation.rule.value)
    last = conn.execute(
        select(func.max(_INCIDENT.c.opened_at))
        .join(_ALERT, _ALERT.c.id == _INCIDENT.c.alert)
        .where(_INCIDENT.c.cause == IncidentCause.PATTERN.value, or_(same, alike))
    ).scalar_one()
    began = now - timedelta(days=rules.pattern_days)
    since = began if last is None else max(began, last)
    told = _ONCE.c.fingerprint == deviation.fingerprint
    return _many(conn, told, since, rules.pattern_count) or (
        deviation.deployment is not None
        and _many(conn, _ONCE.c.alert.in_(select(_ALERT.c.id).where(alike)), since, rules.pattern_count)
    )


def _many(conn: Connection, which: ColumnElement[bool], since: datetime, count: int) -> bool:
    """Whether there are so many occurrences; it looks at no more of them than it needs."""
    few = select(_ONCE.c.id).where(which, _ONCE.c.at > since).limit(count).subquery()
    return int(conn.execute(select(func.count()).select_from(few)).scalar_one()) >= count


def _id_of(conn: Connection, deviation: Deviation, now: datetime) -> str:
    """Return an id that only this opening of an alert has."""
    earlier = select(func.count()).where(_ALERT.c.fingerprint == deviation.fingerprint)
    parts = f"{deviation.fingerprint}\n{utc_text(now)}\n{conn.execute(earlier).scalar_one()}"
    return f"alert-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"
