"""Raising alerts: in the unit that saw the deviation, so that neither is there without the other.

- While an alert is open, the same deviation again is counted on it; `due_at` stays that of the first (R-27).
- Every occurrence is kept, also when its alert is closed: the third in the rolling window opens an incident,
  whoever closed the first two (R-52, F11, F12; `runtime.alerts.pattern`).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from sqlalchemy import Dialect, bindparam, select, text, update

from profiles.policy import AlertRules, Policy
from runtime.alerts.incidents import open_incident, standing_incident
from runtime.alerts.pattern import is_pattern
from runtime.alerts.rules import AT_ONCE, AlertState, Deviation, IncidentCause, Severity
from runtime.canonical import JsonValue
from runtime.moments import utc_text
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.statements import Prepared
from runtime.tables.alerts import AlertOccurrenceRow, AlertRow

MOST_HOURS: Final = 24
"""No policy gives more hours for the review of an alert (R-27)."""

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_IS_OPEN = text(f"state = '{AlertState.OPEN.value}'")


_OPEN = select(_ALERT.c.id, _ALERT.c.count).where(_ALERT.c.fingerprint == bindparam("fingerprint"), _IS_OPEN)
_COUNT_UP = (
    update(AlertRow)
    .where(_ALERT.c.id == bindparam("alert"))
    .values(count=bindparam("times"), last_at=bindparam("at"))
)


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
    find, count_up = _prepared(tx.conn.dialect)
    open_ = find.run(tx.conn, {"fingerprint": deviation.fingerprint}).fetchone()
    alert, count = (open_[0], open_[1] + 1) if open_ else (_id_of(deviation, tx.coming), 1)
    if open_:
        count_up.run(tx.conn, {"alert": alert, "times": count, "at": now})
        _repeat(tx, alert, deviation, count, now)
    else:
        _open(tx, alert, deviation, policy.alerts, now)
    _keep(tx, alert, deviation, count, now)
    incidents = _incidents(tx, alert, deviation, policy.alerts, now)
    return RaisedAlert(alert, not open_, count, incidents)


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
    tx.insert(AlertRow, row)
    raised: dict[str, JsonValue] = {
        **facts,
        "first_at": utc_text(now),
        "due_at": utc_text(due_at),
        "action": deviation.action,
        "counted": True,
    }
    detail: dict[str, JsonValue] | None = None if deviation.detail is None else {"detail": deviation.detail}
    _append(tx, EventKind.ALERT_RAISED, alert, deviation, raised, payload=detail)
    if deviation.severity is not Severity.LOW:
        told = {"agent": deviation.agent, "rule": facts["rule"], "severity": facts["severity"]}
        put(tx, NoticeKind.ALERT, alert, Route.OPERATORS, facts={**told, "due_at": utc_text(due_at)}, now=now)


def _repeat(tx: Tx, alert: str, deviation: Deviation, count: int, now: datetime) -> None:
    data: dict[str, JsonValue] = {
        "fingerprint": deviation.fingerprint,
        "count": count,
        "at": utc_text(now),
        "action": deviation.action,
    }
    _append(tx, EventKind.ALERT_REPEATED, alert, deviation, data)


def _append(
    tx: Tx,
    kind: EventKind,
    alert: str,
    deviation: Deviation,
    data: dict[str, JsonValue],
    *,
    payload: dict[str, JsonValue] | None = None,
) -> None:
    tx.append(
        Event(
            kind=kind,
            at=tx.now,
            actor="handrail",
            agent=deviation.agent,
            deployment=deviation.deployment,
            run=deviation.run,
            subject=alert,
            data=data,
            payload=payload,
        )
    )


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
    tx.insert(AlertOccurrenceRow, row)


def _incidents(tx: Tx, alert: str, deviation: Deviation, rules: AlertRules, now: datetime) -> tuple[str, ...]:
    causes = []
    at_once = AT_ONCE.get(deviation.rule)
    if at_once is not None and standing_incident(tx.conn, deviation.fingerprint, at_once) is None:
        causes.append(at_once)
    if is_pattern(tx.conn, deviation, rules, now=now):
        causes.append(IncidentCause.PATTERN)
    return tuple(
        open_incident(tx, cause, agent=deviation.agent, deployment=deviation.deployment, alert=alert, now=now)
        for cause in causes
    )


def _id_of(deviation: Deviation, entry: int) -> str:
    """Return an id that only the opening of this entry has."""
    parts = f"{deviation.fingerprint}\n{entry}"
    return f"alert-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


@lru_cache(maxsize=8)
def _prepared(dialect: Dialect) -> tuple[Prepared, Prepared]:
    return Prepared(_OPEN, dialect), Prepared(_COUNT_UP, dialect)
