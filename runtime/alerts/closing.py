"""What people do about alerts and incidents: close, escalate, acknowledge. Each is a signed word."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from runtime.alerts.consequences import suspend_unexplained
from runtime.alerts.incidents import open_incident
from runtime.alerts.queries import find_alert, find_incident, owners_of
from runtime.alerts.rules import AlertState, Disposition, IncidentCause
from runtime.alerts.words import Alert, Incident, matter_to_escalate, may_acknowledge, may_close, reason_of
from runtime.canonical import JsonValue
from runtime.moments import utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.alerts import AlertRow, IncidentRow

_ALERT = AlertRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_INCIDENT = IncidentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Closed:
    """An alert that a person closed.

    Attributes:
        incident: the incident that it became, if nobody could explain it.
    """

    alert: str
    person: str
    disposition: Disposition
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Escalated:
    """An incident that a person opened.

    Attributes:
        alert: the alert that it belongs to.
    """

    incident: str
    person: str
    alert: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An incident that a leader acknowledged."""

    incident: str
    person: str


def close(tx: Tx, signed: SignedStatement, *, roster: Roster, now: datetime) -> Closed | Refused:
    """Close the alert that the statement names, as it is now.

    Raises:
        AlertError: there is no such alert.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    alert = find_alert(tx.conn, said.statement.subject, roster=roster)
    if alert.closed is not None:
        return Refused(RefusalCode.USED, f"{alert.closed.person} closed alert {alert.id} already")
    found = may_close(said, alert, owners_of(tx.conn, alert.agent, alert.deployment), roster)
    if isinstance(found, Refused):
        return found
    if refused := consume(tx, said):
        return refused
    incident = _unexplained(tx, alert, now) if found is Disposition.UNEXPLAINED else None
    values = {"state": AlertState.CLOSED.value, "closed_at": now}
    tx.conn.execute(update(AlertRow).where(_ALERT.c.id == alert.id).values(values))
    data: dict[str, JsonValue] = {
        "disposition": found.value,
        "statement": said.id,
        "incident": incident,
        "closed_at": utc_text(now),
    }
    tx.append(_event(tx, EventKind.ALERT_CLOSED, alert, said, data))
    return Closed(alert.id, said.person, found, incident)


def escalate(tx: Tx, signed: SignedStatement, *, roster: Roster, now: datetime) -> Escalated | Refused:
    """Make an incident of the alert that the statement names, on the word of anyone enrolled.

    Raises:
        AlertError: there is no such alert.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    alert = find_alert(tx.conn, said.statement.subject, roster=roster)
    if refused := _off_alert(said, alert) or consume(tx, said):
        return refused
    incident = open_incident(
        tx,
        IncidentCause.ESCALATED,
        agent=alert.agent,
        deployment=alert.deployment,
        alert=alert.id,
        now=now,
        actor=said.person,
    )
    return Escalated(incident, said.person, alert.id)


def acknowledge(tx: Tx, signed: SignedStatement, *, roster: Roster, now: datetime) -> Acknowledged | Refused:
    """Acknowledge the incident that the statement names, on the word of a leader.

    Raises:
        AlertError: there is no such incident.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    incident = find_incident(tx.conn, said.statement.subject, roster=roster)
    if incident.acknowledged is not None:
        return Refused(RefusalCode.USED, f"{incident.acknowledged} acknowledged {incident.id} already")
    owners = owners_of(tx.conn, incident.agent, incident.deployment)
    if refused := may_acknowledge(said, incident, owners, roster) or consume(tx, said):
        return refused
    tx.conn.execute(update(IncidentRow).where(_INCIDENT.c.id == incident.id).values(acknowledged_at=now))
    data: dict[str, JsonValue] = {"statement": said.id, "acknowledged_at": utc_text(now)}
    tx.append(_event(tx, EventKind.INCIDENT_ACKNOWLEDGED, incident, said, data))
    return Acknowledged(incident.id, said.person)


def _unexplained(tx: Tx, alert: Alert, now: datetime) -> str:
    incident = open_incident(
        tx,
        IncidentCause.UNEXPLAINED,
        agent=alert.agent,
        deployment=alert.deployment,
        alert=alert.id,
        now=now,
    )
    suspend_unexplained(tx, alert.id, incident, agent=alert.agent, deployment=alert.deployment, now=now)
    return incident


def _off_alert(said: Verified, alert: Alert) -> Refused | None:
    """Return why this word does not escalate this alert."""
    reason = reason_of(said)
    if reason is None:
        return Refused(RefusalCode.OTHER_MATTER, "an escalation has a reason")
    return about(said, matter_to_escalate(alert.card, reason))


def _event(
    tx: Tx, kind: EventKind, about_: Alert | Incident, said: Verified, data: dict[str, JsonValue]
) -> Event:
    return Event(
        kind=kind,
        at=tx.now,
        actor=said.person,
        agent=about_.agent,
        deployment=about_.deployment,
        subject=about_.id,
        data=data,
        payload={"reason": reason_of(said)},
    )
