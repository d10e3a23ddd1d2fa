"""Who may close an alert, escalate it and acknowledge an incident; and what each costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.effects import Effect
from runtime.alerts.closing import Acknowledged, Closed, Escalated
from runtime.alerts.rules import AlertRule, Disposition
from runtime.people.roster import RefusalCode, Refused
from tests.standins.alarms import (
    acknowledge_in,
    alerts_in,
    close_in,
    deviation,
    escalate_in,
    incidents_in,
    raise_in,
    report_in,
    waiting_incidents,
)
from tests.standins.deployed import deployed
from tests.standins.persons import Person, Town
from tests.standins.power import suspensions_of
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN, allowed, grant, order, staffed, town
from tests.standins.workshop import Workshop, make_workshop

__all__ = ["staffed", "town"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path, tier=1)
    yield made
    made.town.close()


@pytest.mark.parametrize("disposition", [Disposition.EXPLAINED, Disposition.FIXED, Disposition.FALSE_ALARM])
def test_a_reviewer_closes_an_alert_with_words(staffed: Town, disposition: Disposition) -> None:
    """R-27: an acknowledgement is a disposition and a person."""
    raise_in(staffed, deviation())
    (alert,) = alerts_in(staffed)
    assert isinstance(close_in(staffed, alert, DORA, disposition), Closed)

    (closed,) = alerts_in(staffed)
    assert closed.closed is not None
    assert (closed.closed.person, closed.closed.disposition) == ("dora", disposition)
    assert incidents_in(staffed) == ()
    assert "looked at it" not in str(staffed.entry("alert.closed", -1).leaf)


def test_the_owner_of_the_agent_never_closes_its_alert(staffed: Town) -> None:
    """F11: another person, also when the owner has every role that it takes."""
    raise_in(staffed, deviation(deployment=deployed(staffed)))
    answer = close_in(staffed, alerts_in(staffed)[0], OLGA)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.NOT_PERMITTED
    assert alerts_in(staffed)[0].is_open


@pytest.mark.parametrize("who", [LENA, Person("mallory")], ids=lambda who: who.name)
def test_without_the_role_nobody_closes(staffed: Town, who: Person) -> None:
    raise_in(staffed, deviation())

    assert isinstance(close_in(staffed, alerts_in(staffed)[0], who), Refused)
    assert alerts_in(staffed)[0].is_open


@pytest.mark.parametrize("text", ["", "   "])
def test_without_words_nothing_is_closed(staffed: Town, text: str) -> None:
    raise_in(staffed, deviation())

    assert isinstance(close_in(staffed, alerts_in(staffed)[0], DORA, text=text), Refused)


def test_what_happened_since_it_was_shown_is_not_closed_by_it(staffed: Town) -> None:
    raise_in(staffed, deviation())
    (shown,) = alerts_in(staffed)
    raise_in(staffed, deviation())
    answer = close_in(staffed, shown, DORA)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER


def test_the_same_deviation_after_closing_is_a_new_alert_and_still_the_same_pattern(staffed: Town) -> None:
    """F11: an alert "resolved" to unblock: the pattern count survives closing."""
    raised = []
    for _ in range(3):
        raised.append(raise_in(staffed, deviation()))
        close_in(staffed, alerts_in(staffed)[-1], DORA)
        staffed.later(hours=1)

    assert len({one.id for one in raised}) == 3
    assert [len(one.incidents) for one in raised] == [0, 0, 1]


def test_what_nobody_can_explain_suspends_writes_and_is_an_incident(staffed: Town) -> None:
    """R-54: until a leader has acknowledged it, with words."""
    digest = deployed(staffed)
    grant(staffed, order(staffed, Effect.DRAFT, deployment=digest), ROSA)
    raise_in(staffed, deviation(deployment=digest))
    closed = close_in(staffed, alerts_in(staffed)[0], DORA, Disposition.UNEXPLAINED)

    assert isinstance(closed, Closed)
    (incident,) = waiting_incidents(staffed)
    assert (incident.id, incident.cause) == (closed.incident, "unexplained")
    assert [one.code for one in suspensions_of(staffed, digest)] == ["unexplained"]
    assert allowed(staffed, digest) == {Effect.READ}

    assert isinstance(acknowledge_in(staffed, incident, LENA), Acknowledged)
    assert waiting_incidents(staffed) == ()
    assert allowed(staffed, digest) == {Effect.READ, Effect.DRAFT}


@pytest.mark.parametrize("who", [OLGA, ROSA, DORA, SVEN], ids=lambda who: who.name)
def test_only_leadership_acknowledges_an_incident(staffed: Town, who: Person) -> None:
    raise_in(staffed, deviation(AlertRule.NEVER))
    (incident,) = waiting_incidents(staffed)

    assert isinstance(acknowledge_in(staffed, incident, who), Refused)
    assert isinstance(acknowledge_in(staffed, incident, LENA, text=" "), Refused)
    assert waiting_incidents(staffed) == (incident,)


def test_anyone_enrolled_escalates_an_alert(staffed: Town) -> None:
    raise_in(staffed, deviation())
    answer = escalate_in(staffed, alerts_in(staffed)[0], OLGA)

    assert isinstance(answer, Escalated)
    assert [one.cause for one in waiting_incidents(staffed)] == ["escalated"]
    assert isinstance(escalate_in(staffed, alerts_in(staffed)[0], Person("mallory")), Refused)


def test_a_reported_contradiction_takes_the_deployment_to_tier_0(shop: Workshop) -> None:
    """R-53: the rationale contradicts the goals: a person says so."""
    answer = report_in(shop.town, shop.run.run, AlertRule.CONTRADICTION, DORA)

    assert isinstance(answer, Escalated)
    assert allowed(shop.town, shop.run.deployment) == {Effect.READ}
    assert [one.cause for one in waiting_incidents(shop.town)] == ["contradiction"]
    assert shop.town.entry("deployment.demoted", -1).leaf.data["cause"] == "contradiction"


def test_a_reported_decision_that_nobody_can_explain_suspends_writes(shop: Workshop) -> None:
    """R-54."""
    report_in(shop.town, shop.run.run, AlertRule.UNEXPLAINED, DORA)
    report_in(shop.town, shop.run.run, AlertRule.UNEXPLAINED, SVEN)

    assert allowed(shop.town, shop.run.deployment) == {Effect.READ}
    assert [one.cause for one in waiting_incidents(shop.town)] == ["unexplained"]


@pytest.mark.parametrize("rule", [AlertRule.NEVER, AlertRule.AUDIT])
def test_a_person_reports_only_what_machines_cannot_see(shop: Workshop, rule: AlertRule) -> None:
    assert isinstance(report_in(shop.town, shop.run.run, rule, DORA), Refused)
    assert alerts_in(shop.town) == ()
