"""The clock of alerts: a day to look, then leadership; reminders; rows that went missing."""

import pytest

from profiles.effects import Effect
from runtime.alerts.closing import Closed
from runtime.alerts.rules import SYSTEM, AlertRule, Deviation
from tests.standins.alarms import (
    acknowledge_in,
    alerts_in,
    close_in,
    deviation,
    incidents_in,
    raise_in,
    waiting_incidents,
    watch_in,
)
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.power import suspensions_of
from tests.standins.towns import DORA, LENA, ROSA, allowed, grant, order, staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def drafting(staffed: Town) -> str:
    """A deployment that may draft."""
    digest = deployed(staffed)
    grant(staffed, order(staffed, Effect.DRAFT, deployment=digest), ROSA)
    return digest


def test_after_a_day_an_alert_suspends_writes_and_is_an_incident_once(staffed: Town, drafting: str) -> None:
    """R-27, F26: breach escalates and suspends; a second tick changes nothing."""
    raised = raise_in(staffed, deviation(deployment=drafting))
    staffed.later(hours=24, seconds=-1)
    assert watch_in(staffed) == []
    staffed.later(seconds=1)

    assert [step.overdue for step in watch_in(staffed)] == [(raised.id,)]
    assert watch_in(staffed) == []
    assert allowed(staffed, drafting) == {Effect.READ}
    assert [one.code for one in suspensions_of(staffed, drafting)] == ["alert-overdue"]
    assert [(one.cause, one.alert) for one in incidents_in(staffed)] == [("overdue", raised.id)]


def test_closing_the_alert_gives_writes_back(staffed: Town, drafting: str) -> None:
    raise_in(staffed, deviation(deployment=drafting))
    staffed.later(hours=30)
    watch_in(staffed)
    assert isinstance(close_in(staffed, alerts_in(staffed)[0], DORA), Closed)

    assert allowed(staffed, drafting) == {Effect.READ, Effect.DRAFT}
    assert [one.cause for one in waiting_incidents(staffed)] == ["overdue"]


def test_every_deployment_that_did_it_is_suspended(staffed: Town, drafting: str) -> None:
    newer = deployed(staffed, image="sha256:bb")
    for digest in (drafting, newer):
        raise_in(staffed, deviation(deployment=digest))
    staffed.later(hours=24)
    watch_in(staffed)

    assert [len(suspensions_of(staffed, digest)) for digest in (drafting, newer)] == [1, 1]


def test_an_alert_about_handrail_itself_suspends_the_writes_of_all(staffed: Town, drafting: str) -> None:
    raise_in(staffed, Deviation(agent=SYSTEM, rule=AlertRule.JOB_FAILED, tool="checkpoint"))
    staffed.later(hours=24)
    watch_in(staffed)

    assert allowed(staffed, drafting) == {Effect.READ}


def test_a_leader_is_reminded_after_12_24_and_48_hours_and_then_it_stays_blocked(staffed: Town) -> None:
    """F26."""
    (incident,) = raise_in(staffed, deviation(AlertRule.NEVER)).incidents
    reminded = []
    for hour in range(72):
        reminded += [hour for step in watch_in(staffed) for id_ in step.reminded if id_ == incident]
        staffed.later(hours=1)

    assert reminded == [12, 24, 48]
    assert incident in {one.id for one in waiting_incidents(staffed)}


def test_after_a_downtime_there_is_one_reminder(staffed: Town) -> None:
    raise_in(staffed, deviation(AlertRule.NEVER))
    staffed.later(hours=23, minutes=59)
    assert sum(len(step.reminded) for step in watch_in(staffed)) == 1
    staffed.later(days=21)

    assert sum(len(step.reminded) for step in watch_in(staffed)) == 1


def test_no_reminder_of_what_was_acknowledged(staffed: Town) -> None:
    raise_in(staffed, deviation(AlertRule.NEVER))
    acknowledge_in(staffed, waiting_incidents(staffed)[0], LENA)
    staffed.later(hours=23)

    assert watch_in(staffed) == []


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM alert_occurrence; DELETE FROM alert",
        "UPDATE alert SET state = 'closed', closed_at = first_at",
        "UPDATE alert SET state = 'gone'",
    ],
)
def test_a_row_that_went_missing_comes_back_and_is_itself_an_alert(staffed: Town, attack: str) -> None:
    """F11: no row closes an alert; the clock finds that one did."""
    raised = raise_in(staffed, deviation())
    for statement in attack.split(";"):
        staffed.tamper(statement)
    assert alerts_in(staffed)[0].is_open

    assert [step.restored for step in watch_in(staffed)] == [(raised.id,)]
    (again,) = alerts_in(staffed)
    assert (again.id, again.problem, again.is_open) == (raised.id, None, True)
    assert [alert.rule for alert in alerts_in(staffed, SYSTEM)] == ["audit"]
    staffed.later(hours=24)
    assert raised.id in {id_ for step in watch_in(staffed) for id_ in step.overdue}


def test_a_lost_alert_beside_one_that_counts_the_same_is_left(staffed: Town) -> None:
    raise_in(staffed, deviation())
    staffed.tamper("UPDATE alert SET state = 'closed'")
    raise_in(staffed, deviation())

    assert watch_in(staffed) == []
    assert [alert.is_open for alert in alerts_in(staffed)] == [True, True]
