"""Alerts and incidents as they are believed.

- What was recorded counts as it was recorded; a row only adds how often it happened since.
- An alert whose row is gone is open. One without an entry is open too: a row needs no proof to alarm.
- Only a signed word that holds now closes an alert or acknowledges an incident; no row says that one did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, select

from runtime.alerts.rows import read_alerts, read_incidents, read_words
from runtime.alerts.rules import Severity
from runtime.alerts.words import Alert, Closing, Incident, may_acknowledge, may_close, reason_of
from runtime.errors import KernelError
from runtime.people.roster import Refused, Roster, Verified, recheck
from runtime.people.statement import SignedStatement, StatementType
from runtime.suspension_rows import owners as owners_of_deployment
from runtime.tables.agents import AgentRow, DeploymentRow
from runtime.tables.alerts import AlertOccurrenceRow
from runtime.tables.log import ALERT, LogEntryRow

_AGENT = AgentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ONCE = AlertOccurrenceRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


class AlertError(KernelError):
    """An alert, an incident or a deployment that does not exist."""


def open_alerts(
    conn: Connection, deployment: str, *, roster: Roster, at_least: Severity = Severity.MEDIUM
) -> tuple[Alert, ...]:
    """Return the open alerts of a deployment's agent, oldest first: what an earlier deployment did counts.

    Args:
        conn: a view of the database.
        deployment: the deployment's digest.
        roster: who counts now.
        at_least: milder ones are left out.

    Raises:
        AlertError: there is no such deployment.
    """
    found = alerts_of(conn, agent_of(conn, deployment), roster=roster)
    return tuple(one for one in found if one.is_open and one.severity.rank >= at_least.rank)


def overdue_alerts(conn: Connection, deployment: str, *, roster: Roster, now: datetime) -> tuple[Alert, ...]:
    """Return the open alerts, however mild, that nobody reviewed in time (R-27)."""
    found = open_alerts(conn, deployment, roster=roster, at_least=Severity.LOW)
    return tuple(one for one in found if one.due_at <= now)


def unacknowledged(conn: Connection, agent: str, *, roster: Roster) -> tuple[Incident, ...]:
    """Return the incidents of an agent that no leader has acknowledged, oldest first."""
    return tuple(one for one in incidents_of(conn, agent, roster=roster) if one.acknowledged is None)


def alerts_of(conn: Connection, agent: str | None, *, roster: Roster) -> tuple[Alert, ...]:
    """Return all alerts there ever were, of one agent or of all, oldest first."""
    found = _with_closings(conn, read_alerts(conn, agent=agent), roster)
    return tuple(sorted(found, key=lambda one: (one.first_at, one.id)))


def incidents_of(conn: Connection, agent: str | None, *, roster: Roster) -> tuple[Incident, ...]:
    """Return all incidents there ever were, of one agent or of all, oldest first."""
    found = _with_words(conn, read_incidents(conn, agent=agent), roster)
    return tuple(sorted(found, key=lambda one: (one.opened_at, one.id)))


def find_alert(conn: Connection, alert: str, *, roster: Roster) -> Alert:
    """Return one alert. Raises AlertError if there is none of this id."""
    found = _with_closings(conn, read_alerts(conn, alert=alert), roster)
    if not found:
        raise AlertError(f"no alert {alert}; `handrail alerts list` shows those there are")
    return found[0]


def find_incident(conn: Connection, incident: str, *, roster: Roster) -> Incident:
    """Return one incident. Raises AlertError if there is none of this id."""
    found = _with_words(conn, read_incidents(conn, incident=incident), roster)
    if not found:
        raise AlertError(f"no incident {incident}; `handrail incidents list` shows those there are")
    return found[0]


def occurrences(conn: Connection, alert: str, *, limit: int = 20) -> tuple[AlertOccurrenceRow, ...]:
    """Return when an alert's deviation happened, newest first."""
    query = select(_ONCE).where(_ONCE.c.alert == alert).order_by(_ONCE.c.at.desc(), _ONCE.c.id).limit(limit)
    return tuple(AlertOccurrenceRow(**row) for row in conn.execute(query).mappings())


def entry_of(conn: Connection, alert: str) -> int | None:
    """Return the number of the entry that raised an alert; its payload may say more."""
    query = select(_LOG.c.seq).where(_LOG.c.kind == ALERT, _LOG.c.subject == alert)
    return conn.execute(query.order_by(_LOG.c.seq).limit(1)).scalar()


def agent_of(conn: Connection, deployment: str) -> str:
    """Return whose deployment this is. Raises AlertError if there is none of this digest."""
    query = select(_DEPLOYMENT.c.agent).where(_DEPLOYMENT.c.digest == deployment)
    agent = conn.execute(query).scalar_one_or_none()
    if agent is None:
        raise AlertError(
            f"no deployment {deployment[:16]}; `handrail agent show AGENT` lists those there are"
        )
    return str(agent)


def owners_of(conn: Connection, agent: str, deployment: str | None) -> frozenset[str]:
    """Return who owns an agent: as registered, and as signed in the deployment's grants."""
    registered = conn.execute(select(_AGENT.c.owner).where(_AGENT.c.name == agent)).scalars()
    signed = owners_of_deployment(conn, deployment) if deployment else frozenset[str]()
    return frozenset(registered) | signed


def _with_closings(conn: Connection, alerts: Sequence[Alert], roster: Roster) -> list[Alert]:
    said = read_words(conn, (one.id for one in alerts), StatementType.DISPOSITION)
    return [
        replace(
            one, closed=_closing(one, tuple(said[one.id]), owners_of(conn, one.agent, one.deployment), roster)
        )
        if one.id in said
        else one
        for one in alerts
    ]


def _with_words(conn: Connection, incidents: Sequence[Incident], roster: Roster) -> list[Incident]:
    said = read_words(conn, (one.id for one in incidents), StatementType.INCIDENT)
    return [
        _acknowledged(one, tuple(said[one.id]), owners_of(conn, one.agent, one.deployment), roster)
        if one.id in said
        else one
        for one in incidents
    ]


@lru_cache(maxsize=4096)
def _closing(
    alert: Alert, words: tuple[SignedStatement, ...], owners: frozenset[str], roster: Roster
) -> Closing | None:
    """Return the word that closes an alert as it is now; None if none does. Pure."""
    for said in _heard(words, roster):
        disposition = may_close(said, alert, owners, roster)
        if not isinstance(disposition, Refused):
            return Closing(said.person, disposition, reason_of(said) or "", said.statement.at)
    return None


@lru_cache(maxsize=4096)
def _acknowledged(
    incident: Incident, words: tuple[SignedStatement, ...], owners: frozenset[str], roster: Roster
) -> Incident:
    """Return an incident with the word that acknowledges it, if one does. Pure."""
    for said in _heard(words, roster):
        if may_acknowledge(said, incident, owners, roster) is None:
            return replace(incident, acknowledged=said.person, words=reason_of(said) or "")
    return incident


def _heard(words: Iterable[SignedStatement], roster: Roster) -> list[Verified]:
    return [said for said in (recheck(word, roster) for word in words) if isinstance(said, Verified)]
