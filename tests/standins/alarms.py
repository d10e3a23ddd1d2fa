"""Deviations, and what people say about them, in a town."""

from datetime import timedelta

from runtime.alerts.book import RaisedAlert, raise_alert
from runtime.alerts.queries import alerts_of, incidents_of, open_alerts, unacknowledged
from runtime.alerts.rules import AlertRule, Deviation, Severity
from runtime.alerts.words import Alert, Incident
from tests.standins.persons import Town

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
