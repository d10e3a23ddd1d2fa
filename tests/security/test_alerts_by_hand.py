"""Threat: somebody with a database shell, or with an old signature, makes an alert or an incident go away.

F11: an alert "resolved" to unblock. Only signed words that hold now close one; rows decide nothing.
"""

import pytest

from runtime.alerts.closing import Acknowledged, Closed
from runtime.alerts.rules import AlertRule, Disposition, Severity
from runtime.people.revocation import matter_to_revoke, revoke_keys
from runtime.people.roster import RefusalCode, Refused
from tests.standins.alarms import (
    acknowledge_in,
    alerts_in,
    close_in,
    deviation,
    incidents_in,
    open_in,
    raise_in,
    waiting_incidents,
)
from tests.standins.deployed import deployed
from tests.standins.persons import Person, Town, policy_of
from tests.standins.towns import DORA, EVERYONE, LENA, OLGA, ROSA, SVEN, staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def blocked(staffed: Town) -> str:
    """A deployment with an open alert of severity high, and the incident that it is."""
    digest = deployed(staffed)
    raise_in(staffed, deviation(AlertRule.OUT_OF_SCOPE, deployment=digest))
    return digest


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE alert SET state = 'closed', closed_at = first_at",
        "UPDATE alert SET severity = 'low'",
        "UPDATE alert SET severity = 'nothing'",
        "UPDATE alert SET agent = 'other'",
        "UPDATE alert SET rule = 'first-seen', severity = 'low'",
        "DELETE FROM alert",
    ],
)
def test_no_row_closes_an_alert_or_makes_it_milder(staffed: Town, blocked: str, sql: str) -> None:
    if sql.startswith("DELETE"):
        staffed.tamper("DELETE FROM alert_occurrence")
        staffed.tamper("DELETE FROM incident")
    staffed.tamper(sql)

    (alert,) = open_in(staffed, blocked)
    assert (alert.severity, alert.agent) == (Severity.HIGH, "bot")
    assert len(waiting_incidents(staffed)) == 1


def test_a_later_date_does_not_make_an_alert_due_later(staffed: Town, blocked: str) -> None:
    """R-27: the clock is that of the record."""
    due = alerts_in(staffed)[0].due_at
    staffed.tamper("UPDATE alert SET due_at = '2099-01-01T00:00:00.000000Z'")

    assert open_in(staffed, blocked)[0].due_at == due
    assert alerts_in(staffed)[0].problem is not None


def test_no_row_acknowledges_an_incident(staffed: Town, blocked: str) -> None:
    staffed.tamper("UPDATE incident SET acknowledged_at = opened_at")
    assert len(waiting_incidents(staffed)) == 1

    staffed.tamper("UPDATE incident SET agent = 'other'")
    assert len(waiting_incidents(staffed)) == 1
    assert blocked


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("UPDATE statement SET signature = :value WHERE type = 'disposition'", "x"),
        ("UPDATE statement SET body = :value WHERE type = 'disposition'", b"{}"),
    ],
)
def test_a_closing_whose_words_were_changed_closes_nothing(
    staffed: Town, blocked: str, sql: str, value: object
) -> None:
    assert isinstance(close_in(staffed, alerts_in(staffed)[0], DORA), Closed)
    assert open_in(staffed, blocked) == ()
    staffed.tamper(sql, value=value)

    assert len(open_in(staffed, blocked)) == 1


def test_another_word_of_the_same_person_closes_nothing(staffed: Town, blocked: str) -> None:
    """F9: an escalation that is called a disposition is still an escalation."""
    raise_in(staffed, deviation(AlertRule.RATE))
    close_in(staffed, alerts_in(staffed)[1], DORA)
    first = alerts_in(staffed)[0].id
    staffed.tamper("UPDATE statement SET subject = :alert WHERE type = 'disposition'", alert=first)

    assert first in {alert.id for alert in open_in(staffed, blocked)}


def test_a_closing_cannot_be_used_for_the_next_alert_of_the_same_kind(staffed: Town) -> None:
    """F9: replay."""
    raise_in(staffed, deviation())
    (first,) = alerts_in(staffed)
    close_in(staffed, first, DORA)
    staffed.later(hours=1)
    raise_in(staffed, deviation())
    answer = close_in(staffed, first, SVEN)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.USED
    assert [alert.is_open for alert in alerts_in(staffed)] == [False, True]


def test_the_word_of_somebody_who_counts_no_more_closes_nothing(staffed: Town, blocked: str) -> None:
    """F6, F17: verified again at each use; somebody else can then close it."""
    close_in(staffed, alerts_in(staffed)[0], DORA)
    signed = staffed.signed(ROSA, matter_to_revoke(staffed.state, "dora", reason="left"))
    staffed.write(lambda tx: revoke_keys(tx, staffed.book.current(tx.conn), signed, now=staffed.now))

    assert len(open_in(staffed, blocked)) == 1
    assert isinstance(close_in(staffed, alerts_in(staffed)[0], SVEN), Closed)
    assert open_in(staffed, blocked) == ()


def test_a_second_account_of_the_owner_is_the_owner(town: Town) -> None:
    """F7: identities map to a person."""
    staff = policy_of(
        OLGA.enrolled("operations", "policy", "security", identities=["unix:root"]),
        ROSA.enrolled("rollout", "policy"),
        LENA.enrolled("leadership", "operations", identities=["unix:lena"]),
        DORA.enrolled("domain"),
        SVEN.enrolled("security"),
    )
    town.begin(staff, *EVERYONE)
    digest = deployed(town)
    town.tamper("UPDATE agent SET owner = 'unix:lena'")
    raise_in(town, deviation(AlertRule.NEVER, deployment=digest))
    alert, incident = alerts_in(town)[0], waiting_incidents(town)[0]

    assert isinstance(acknowledge_in(town, incident, LENA), Refused)
    assert isinstance(close_in(town, alert, LENA, Disposition.FALSE_ALARM), Refused)
    assert isinstance(close_in(town, alert, OLGA), Refused), "who signed the grant as owner stays one"
    assert isinstance(close_in(town, alert, SVEN), Closed)


def test_a_stranger_says_nothing_about_anything(staffed: Town, blocked: str) -> None:
    mallory = Person("dora")
    answer = close_in(staffed, alerts_in(staffed)[0], mallory)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.NOT_THEIR_KEY
    assert len(open_in(staffed, blocked)) == 1


def test_an_acknowledged_incident_does_not_hide_the_next(staffed: Town, blocked: str) -> None:
    assert isinstance(acknowledge_in(staffed, waiting_incidents(staffed)[0], LENA), Acknowledged)
    raise_in(staffed, deviation(AlertRule.OUT_OF_SCOPE, deployment=blocked))

    assert len(incidents_in(staffed)) == 2
    assert len(waiting_incidents(staffed)) == 1
