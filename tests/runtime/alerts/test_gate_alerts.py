"""What the gate denies and why decides whether it alarms; it does so in the denying transaction."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.alerts.rules import Severity
from runtime.gate.actions import ActionKind
from runtime.gate.replies import Done, Withheld
from tests.standins.alarms import alerts_in, incidents_in
from tests.standins.workshop import PROFILE, Workshop, make_workshop

BROAD_READ = "  list_many: {upstream: office, effect: read, each: ids, args: {ids: {role: id, many: true}}}\n"
WITH_A_BROAD_READ = PROFILE.replace("  label_many:", f"{BROAD_READ}  label_many:")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path, tier=4, profile=WITH_A_BROAD_READ)
    yield made
    made.town.close()


def act(shop: Workshop, tool: str, **args: object) -> None:
    reply = asyncio.run(shop.act(tool, args))  # type: ignore[arg-type]  # JSON values
    assert isinstance(reply, Withheld), reply


def test_an_unexpected_tool_alarms_without_its_name(shop: Workshop) -> None:
    """R-26: unexpected tools; what the agent called it is nowhere in the alert."""
    act(shop, "rm_\x1b[2J-rf", path="/")

    (alert,) = alerts_in(shop.town)
    assert (alert.rule, alert.severity, alert.tool) == ("unexpected-tool", Severity.HIGH, "unknown")
    assert [one.cause for one in incidents_in(shop.town)] == ["out-of-scope"]


def test_a_request_outside_the_profile_alarms_as_out_of_scope(shop: Workshop) -> None:
    """R-26, R-51: out-of-scope access opens an incident at once."""
    action = shop.action("sampling/createMessage", {}, kind=ActionKind.REQUEST)
    assert isinstance(asyncio.run(shop.take(action)), Withheld)

    (alert,) = alerts_in(shop.town)
    assert (alert.rule, alert.resource) == ("out-of-scope", "request")
    assert [one.cause for one in incidents_in(shop.town)] == ["out-of-scope"]


def test_an_attempt_on_the_never_list_is_critical(shop: Workshop) -> None:
    act(shop, "shred", number="7")

    (alert,) = alerts_in(shop.town)
    assert (alert.rule, alert.severity, alert.tool) == ("never", Severity.CRITICAL, "shred")
    assert [one.alert for one in incidents_in(shop.town)] == [alert.id]


def test_a_limit_alarms_and_the_third_time_is_a_pattern(shop: Workshop) -> None:
    """R-52, F12: three denials in one grouped alert open an incident."""
    for number in range(3):
        act(shop, "list_many", ids=[f"{number}-{n}" for n in range(11)])

    (alert,) = alerts_in(shop.town)
    assert (alert.rule, alert.severity, alert.count) == ("rate", Severity.MEDIUM, 3)
    assert [one.cause for one in incidents_in(shop.town)] == ["pattern"]


def test_a_hold_a_suggestion_and_an_allowed_action_alarm_nobody(shop: Workshop) -> None:
    """The severity table: a hold or a suggestion alone is no alert."""
    act(shop, "send_mail", to=["new@elsewhere.example"], subject="hello", body="hello")  # a new place
    act(shop, "pay", to="bob@partner.example", amount=5)  # takes two persons
    assert isinstance(asyncio.run(shop.act("list_folders")), Done)

    assert "held" in shop.states()
    assert "suggested" in shop.states()
    assert alerts_in(shop.town) == ()
    assert "notice" not in {row[0] for row in shop.rows("SELECT kind FROM notice")}


@pytest.mark.parametrize("tool", ["list_folders", "send_mail"])
def test_what_a_stopped_agent_still_tries_within_its_scope_is_no_alert(shop: Workshop, tool: str) -> None:
    shop.end_run()
    act(shop, tool)

    assert shop.states() == ["denied"]
    assert alerts_in(shop.town) == ()


def test_the_alert_is_in_the_denying_transaction(shop: Workshop) -> None:
    act(shop, "unheard_of")

    kinds = shop.town.kinds()
    denied, raised = kinds.index("action.decision"), kinds.index("alert.raised")
    entries = [shop.town.ledger.entry(seq).leaf for seq in (denied, raised)]
    assert raised - denied <= 1
    assert entries[0].at == entries[1].at
    (row,) = shop.rows("SELECT run, action FROM alert_occurrence")
    assert tuple(row) == (entries[0].run, entries[0].subject)
