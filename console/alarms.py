"""Signing about alerts and incidents: the half of `alerts` and `incidents` that knows keys and statements."""

from console.client import Client
from console.consent import Consent
from console.session import Session
from console.show.alerts import alert_page, incident_page
from console.show.values import Json as Shown
from console.shown import check_digest
from console.signing import Json, signer
from runtime.alerts.rules import AlertRule, Disposition
from runtime.alerts.words import matter_to_acknowledge, matter_to_close, matter_to_escalate, matter_to_report
from runtime.gate.actions import digest_of


def fetch_alert(client: Client, alert: str) -> Json:
    """Fetch an alert and compute its digest here: what is signed is what is shown."""
    return _checked(client.get("alerts", alert), "alert", alert)


def fetch_incident(client: Client, incident: str) -> Json:
    """Fetch an incident and compute its digest here."""
    return _checked(client.get("incidents", incident), "incident", incident)


def close(
    session: Session, client: Client, alert: str, as_: Disposition, reason: str, *, consent: Consent
) -> Json:
    """Sign what an alert was found to be, once the person has seen it and agrees."""
    shown, by = fetch_alert(client, alert), signer(session, client)
    question = f"Close this alert as {as_}, as {by.person}?"
    consent.require(session, shown, alert_page(shown), shown["digest"], question)
    return client.post("alerts", "closings", body=by.say(matter_to_close(shown["card"], as_, reason)))


def escalate(session: Session, client: Client, alert: str, reason: str) -> Json:
    """Sign that a leader must know; it asks nothing, since it only alarms."""
    shown = fetch_alert(client, alert)
    said = signer(session, client).say(matter_to_escalate(shown["card"], reason))
    return client.post("alerts", "escalations", body=said)


def report(session: Session, client: Client, subject: str, rule: AlertRule, reason: str) -> Json:
    """Sign what only a person can see; it asks nothing, since it only takes power away."""
    said = signer(session, client).say(matter_to_report(subject, rule, reason))
    return client.post("alerts", "reports", body=said)


def acknowledge(session: Session, client: Client, incident: str, reason: str, *, consent: Consent) -> Json:
    """Sign that a leader knows of an incident, once it was shown and the leader agrees."""
    shown, by = fetch_incident(client, incident), signer(session, client)
    question = f"Acknowledge this incident, as {by.person}?"
    consent.require(session, shown, incident_page(shown), shown["digest"], question)
    said = by.say(matter_to_acknowledge(shown["card"], reason))
    return client.post("incidents", "acknowledgements", body=said)


def _checked(answer: Shown, kind: str, id_: str) -> Json:
    check_digest(answer["digest"], digest_of(answer["card"]), f"the {kind}")
    check_digest(str(answer["card"][kind]), id_, f"the {kind}'s id")
    return dict(answer)
