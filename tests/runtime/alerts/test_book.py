"""Alerts: what is one, how it is counted, when it is due, and when it becomes an incident."""

from datetime import timedelta

import pytest

from runtime.alerts.rules import AT_ONCE, SEVERITIES, AlertRule, IncidentCause, Severity
from tests.standins.alarms import DAY, alerts_in, deviation, incidents_in, open_in, raise_in
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]


def test_every_rule_has_a_severity() -> None:
    assert set(SEVERITIES) == set(AlertRule)


def test_a_deviation_opens_an_alert_that_is_due_a_day_after_it_first_happened(staffed: Town) -> None:
    """R-27: the clock begins at the first occurrence, and a later one does not move it."""
    first = raise_in(staffed, deviation())
    began = staffed.now
    staffed.later(hours=23)
    again = raise_in(staffed, deviation())

    (alert,) = alerts_in(staffed)
    assert (first.is_new, again.is_new) == (True, False)
    assert (alert.id, alert.count, alert.severity) == (first.id, 2, Severity.MEDIUM)
    assert (alert.first_at, alert.due_at, alert.last_at) == (began, began + DAY, staffed.now)
    assert alert.is_open
    assert staffed.count("alert_occurrence") == 2


@pytest.mark.parametrize(
    "other",
    [
        {"agent": "other"},
        {"rule": AlertRule.CHANGED},
        {"tool": "set_label"},
        {"resource": "archive"},
    ],
)
def test_another_agent_rule_tool_or_resource_is_another_alert(staffed: Town, other: dict[str, str]) -> None:
    """F12: those four make the fingerprint."""
    assert raise_in(staffed, deviation()).id != raise_in(staffed, deviation(**other)).id  # type: ignore[arg-type]


def test_another_run_action_or_deployment_is_the_same_alert(staffed: Town) -> None:
    """F12: an id in the fingerprint would hide that it happens again."""
    ids = {
        raise_in(staffed, deviation(run=f"run-{n}", action=f"act-{n}", deployment=f"{n}" * 64)).id
        for n in range(3)
    }

    assert len(ids) == 1


def test_the_third_of_a_pattern_opens_one_incident(staffed: Town) -> None:
    """R-52: three in one grouped alert still fire; the fourth does not fire anew."""
    raised = [raise_in(staffed, deviation()) for _ in range(4)]

    assert [len(one.incidents) for one in raised] == [0, 0, 1, 0]
    (incident,) = incidents_in(staffed)
    assert (incident.cause, incident.alert, incident.agent) == ("pattern", raised[0].id, "bot")


def test_going_from_tool_to_tool_is_a_pattern_too(staffed: Town) -> None:
    """F12, F14: the same rule in one deployment counts together, whatever the tool."""
    digest = deployed(staffed)
    raised = [raise_in(staffed, deviation(tool=f"tool-{n}", deployment=digest)) for n in range(3)]

    assert [len(one.incidents) for one in raised] == [0, 0, 1]


def test_what_happened_before_the_window_is_no_pattern(staffed: Town) -> None:
    """R-52: the window rolls."""
    for _ in range(3):
        raise_in(staffed, deviation())
        staffed.later(days=16)

    assert incidents_in(staffed) == ()


def test_first_seen_things_are_no_pattern(staffed: Town) -> None:
    for _ in range(5):
        raise_in(staffed, deviation(AlertRule.FIRST_SEEN))

    assert incidents_in(staffed) == ()


@pytest.mark.parametrize(("rule", "cause"), AT_ONCE.items())
def test_some_are_incidents_at_once(staffed: Town, rule: AlertRule, cause: IncidentCause) -> None:
    """R-51, R-53, R-54: while one waits for a leader, the same is not opened again."""
    first, second = raise_in(staffed, deviation(rule)), raise_in(staffed, deviation(rule))

    assert (len(first.incidents), len(second.incidents)) == (1, 0)
    assert [one.cause for one in incidents_in(staffed)] == [cause.value]


def test_an_open_alert_of_an_earlier_deployment_counts_for_the_next(staffed: Town) -> None:
    old = deployed(staffed)
    new = deployed(staffed, image="sha256:bb")
    raised = raise_in(staffed, deviation(deployment=old))
    raise_in(staffed, deviation(AlertRule.FIRST_SEEN, deployment=old))

    assert [alert.id for alert in open_in(staffed, new)] == [raised.id]
    assert len(open_in(staffed, new, at_least=Severity.LOW)) == 2


def test_an_alert_is_in_the_record_with_its_clock(staffed: Town) -> None:
    raised = raise_in(staffed, deviation())

    leaf = staffed.ledger.entry(staffed.kinds().index("alert.raised")).leaf
    assert (leaf.subject, leaf.agent, leaf.data["rule"]) == (raised.id, "bot", "rate")
    assert leaf.payload is None
    assert alerts_in(staffed)[0].due_at - leaf.at == timedelta(hours=24)
