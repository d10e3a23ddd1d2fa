"""Deviations, and what people say about them, in a town."""

from datetime import timedelta

from runtime.alerts.book import RaisedAlert, raise_alert
from runtime.alerts.closing import Acknowledged, Closed, Escalated, acknowledge, close, escalate
from runtime.alerts.queries import alerts_of, incidents_of, open_alerts, unacknowledged
from runtime.alerts.reporting import report
from runtime.alerts.rules import AlertRule, Deviation, Disposition, Severity
from runtime.alerts.watch import Watched, watch
from runtime.alerts.words import (
    Alert,
    Incident,
    matter_to_acknowledge,
    matter_to_escalate,
    matter_to_report,
)
from runtime.people.roster import Refused, Roster
from runtime.record.batch import Tx
from tests.standins.persons import Person, Town

DAY = timedelta(days=1)


def deviation(rule: AlertRule = AlertRule.RATE, **fields: str | None) -> Deviation:
    """Something that the agent `bot` did."""
    return Deviation(rule=rule, **({"agent": "bot", "tool": "send_mail", "resource": "office"} | fields))  # type: ignore[arg-type]  # every field is text


def raise_in(town: Town, what: Deviation) -> RaisedAlert:
    return town.write(lambda tx: raise_alert(tx, what, policy=town.state.head.policy, now=tx.now))


def alerts_in(town: Town, agent: str | None = "bot") -> tuple[Alert, ...]:
    return town.read(lambda conn: alerts_of(conn, agent, roster=town.state.roster))


def incidents_in(town: Town, agent: str | None = "bot") -> tuple[Incident, ...]:
    return town.read(lambda conn: incidents_of(conn, agent, roster=town.state.roster))


def waiting_incidents(town: Town, agent: str = "bot") -> tuple[Incident, ...]:
    return town.read(lambda conn: unacknowledged(conn, agent, roster=town.state.roster))


def open_in(town: Town, deployment: str, *, at_least: Severity = Severity.MEDIUM) -> tuple[Alert, ...]:
    return town.read(lambda conn: open_alerts(conn, deployment, roster=town.state.roster, at_least=at_least))


def close_in(
    town: Town,
    alert: Alert,
    by: Person,
    disposition: Disposition = Disposition.EXPLAINED,
    *,
    text: str = "looked at it",
) -> Closed | Refused:
    signed = town.signed(by, alert.matter(disposition, text))
    return town.write(lambda tx: close(tx, signed, roster=_roster(town, tx), now=tx.now))


def escalate_in(
    town: Town, alert: Alert, by: Person, *, reason: str = "this is worse"
) -> Escalated | Refused:
    signed = town.signed(by, matter_to_escalate(alert.card, reason))
    return town.write(lambda tx: escalate(tx, signed, roster=_roster(town, tx), now=tx.now))


def report_in(
    town: Town,
    subject: str,
    rule: AlertRule,
    by: Person,
    *,
    reason: str = "it says one thing and does another",
) -> Escalated | Refused:
    signed = town.signed(by, matter_to_report(subject, rule, reason))
    return town.write(lambda tx: report(tx, signed, roster=_roster(town, tx), now=tx.now))


def acknowledge_in(
    town: Town, incident: Incident, by: Person, *, text: str = "known"
) -> Acknowledged | Refused:
    signed = town.signed(by, matter_to_acknowledge(incident.card, text))
    return town.write(lambda tx: acknowledge(tx, signed, roster=_roster(town, tx), now=tx.now))


def watch_in(town: Town) -> list[Watched]:
    """Let the clock tick until nothing is left to do; return what was done."""
    steps: list[Watched] = []
    while not (step := town.write(lambda tx: watch(tx, policy=town.state.head.policy))).done:
        steps.append(step)
    return steps


def _roster(town: Town, tx: Tx) -> Roster:
    return town.book.current(tx.conn).roster
