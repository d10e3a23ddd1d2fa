"""The alerts of a review's window, and those that are open still, whenever they began."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from profiles.policy import AlertRules
from rollout.reviews.packet.model import AlertLine, Window
from runtime.alerts.pattern import pattern_count
from runtime.alerts.queries import alerts_of, incidents_of
from runtime.alerts.rules import AlertState
from runtime.alerts.words import Alert, Incident
from runtime.people.roster import Roster


def alert_lines(
    conn: Connection, agent: str, deployment: str, window: Window, *, roster: Roster, now: datetime
) -> tuple[AlertLine, ...]:
    """Return the alerts of an agent that a review looks at, oldest first, each with its worst incident."""
    incidents = incidents_of(conn, agent, roster=roster)
    return tuple(
        _line(conn, alert, incidents, roster.policy.alerts, now)
        for alert in alerts_of(conn, agent, roster=roster)
        if alert.deployment in (deployment, None) and (alert.is_open or _within(alert, window))
    )


def _within(alert: Alert, window: Window) -> bool:
    return alert.first_at < window.end and alert.last_at >= window.begin


def _line(
    conn: Connection, alert: Alert, incidents: Iterable[Incident], rules: AlertRules, now: datetime
) -> AlertLine:
    opened = sorted(
        (one for one in incidents if one.alert == alert.id), key=lambda one: one.acknowledged is not None
    )
    return AlertLine(
        alert=alert.id,
        rule=alert.rule,
        severity=alert.severity.value,
        state=(AlertState.OPEN if alert.is_open else AlertState.CLOSED).value,
        count=alert.count,
        first_at=alert.first_at,
        due_at=alert.due_at,
        pattern_count=pattern_count(conn, alert.fingerprint, rules=rules, now=now),
        incident=opened[0].id if opened else None,
        acknowledged=bool(opened) and opened[0].acknowledged is not None,
    )
