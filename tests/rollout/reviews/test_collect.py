"""What a packet tells: read from rows and the record, and nothing of an agent's."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from rollout.gates.model import GateId
from rollout.reviews.packet.model import Packet
from rollout.reviews.packet.render import as_text
from rollout.reviews.rows import ReviewError
from runtime.alerts.book import raise_alert
from runtime.alerts.rules import AlertRule, Deviation
from runtime.freeze_rules import Scope
from runtime.record.events import EventKind
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import suspend
from tests.standins.persons import Town
from tests.standins.reviewing import Reviewing
from tests.standins.towns import OLGA, set_freeze, staffed, stop_of, town

__all__ = ["staffed", "town"]


@pytest.fixture
def reviewing(staffed: Town) -> Reviewing:
    return Reviewing(staffed)


def texts(packet: Packet) -> dict[str, int]:
    return {one.text: one.count for one in packet.patterns}


def deviates(reviewing: Reviewing) -> None:
    town, deployment = reviewing.town, reviewing.deployment
    town.later(minutes=1)
    one = Deviation(
        agent="bot", rule=AlertRule.RATE, tool="send_mail", resource="mail", deployment=deployment
    )
    town.write(lambda tx: raise_alert(tx, one, policy=town.book.current(tx.conn).head.policy, now=tx.now))


def test_the_head_says_whose_review_it_is_and_when_it_is_due(reviewing: Reviewing) -> None:
    """R-47, R-92."""
    reviewing.town.later(days=6, hours=12)
    head = reviewing.packet(reviewing.owed()).head

    assert (head.agent, head.owner, head.deployment) == ("bot", "olga", reviewing.deployment)
    assert head.risk == "High (R-46, R-47, R-50)"
    assert head.cadence == "every 7 days"
    assert head.due_at - head.period_start == timedelta(days=7)
    assert not head.late


def test_only_time_with_heartbeats_was_observed(reviewing: Reviewing) -> None:
    """F1, F18: a gap of the monitor is a pattern too."""
    reviewing.town.later(days=3)
    reviewing.heartbeats(days=1)
    reviewing.town.later(days=3)
    packet = reviewing.packet(reviewing.owed())

    assert packet.window.observed_seconds == 86_400
    assert packet.window.gap_seconds == 5 * 86_400
    assert texts(packet) == {"the monitor did not watch all the time": 1}


def test_a_monitor_that_always_watched_leaves_no_pattern(reviewing: Reviewing) -> None:
    reviewing.town.later(days=6)
    reviewing.heartbeats(days=6)

    assert reviewing.packet(reviewing.owed()).patterns == ()


def test_each_class_stands_with_its_grant_and_with_what_blocks_it(reviewing: Reviewing) -> None:
    draft = reviewing.draft(days=5)
    reviewing.town.later(days=1)
    packet = reviewing.packet(reviewing.owed())
    held = {one.effect: one for one in packet.grants}

    assert packet.tier == "1 (draft)"
    assert (held[Effect.DRAFT].grant, held[Effect.DRAFT].valid_until) == (draft.id, draft.valid_until)
    assert held[Effect.SEND].grant is None
    blocked = {one.effect: one.blockers for one in packet.evidence}
    assert blocked[Effect.DRAFT] == ()
    assert GateId.G12 not in blocked[Effect.SEND]


def test_the_evidence_of_a_class_has_its_e_value_and_bounds(reviewing: Reviewing) -> None:
    """REQUIREMENTS section 3: what is printed beside the test."""
    reviewing.town.later(days=1)
    (found,) = [one for one in reviewing.packet(reviewing.owed()).evidence if one.effect is Effect.SEND]

    assert (found.agree, found.miss, found.limit) == (40, 0, "0.9")
    assert float(found.e_value or 0) > 20
    assert found.lower == "0.9278"
    assert found.harmful_upper == "7.2%"


def test_what_stands_in_the_way_is_listed(reviewing: Reviewing) -> None:
    town = reviewing.town
    town.write(
        lambda tx: suspend(
            tx,
            reviewing.deployment,
            effect=Effect.DRAFT,
            code=SuspensionCode.HARMFUL,
            subject="sug-1",
            reason="a harmful label",
            now=tx.now,
        )
    )
    set_freeze(town, stop_of(Scope.AGENT, "bot", town), OLGA)
    town.later(hours=1)
    packet = reviewing.packet(reviewing.owed())

    suspended, frozen = packet.suspensions
    assert suspended.startswith("draft: a harmful label (susp-")
    assert frozen.startswith("everything: frozen by olga (freeze-")
    assert texts(packet).keys() >= {"writes were suspended: harmful", "actions were frozen, scope: agent"}


def test_the_freeze_of_another_agent_is_no_pattern_here(reviewing: Reviewing) -> None:
    set_freeze(reviewing.town, stop_of(Scope.AGENT, "other", reviewing.town), OLGA)
    reviewing.town.later(hours=1)

    assert texts(reviewing.packet(reviewing.owed())) == {}


def test_denials_are_grouped_by_tool_and_reason(reviewing: Reviewing) -> None:
    """R-36."""
    reviewing.happens(EventKind.ACTION_DECISION, times=9, answer="deny", name="send_mail", reasons=["budget"])
    reviewing.happens(EventKind.ACTION_DECISION, answer="deny", name="send_mail", reasons=["never"])
    reviewing.town.later(hours=1)

    assert texts(reviewing.packet(reviewing.owed())) == {
        "send_mail was denied: budget": 9,
        "send_mail was denied: never": 1,
    }


def test_alerts_are_listed_and_counted_by_fingerprint(reviewing: Reviewing) -> None:
    """R-52, F12."""
    for _ in range(3):
        deviates(reviewing)
    reviewing.town.later(hours=1)
    packet = reviewing.packet(reviewing.owed())

    (alert,) = packet.alerts
    assert (alert.rule, alert.state, alert.count, alert.pattern_count) == ("rate", "open", 3, 3)
    assert alert.incident is not None
    assert not alert.acknowledged
    assert texts(packet) == {"alert rate (medium): send_mail, mail": 3, "an incident was opened: pattern": 1}


def test_a_review_looks_at_its_own_period_only(reviewing: Reviewing) -> None:
    """F3: three weeks late, each review is about its own week."""
    town = reviewing.town
    for week in range(3):
        town.later(days=1)
        reviewing.happens(
            EventKind.ACTION_DECISION, times=week + 1, answer="deny", name="label", reasons=["budget"]
        )
        town.later(days=6)
    reviewing.tick()

    told = [texts(reviewing.packet(reviewing.owed(which=week))) for week in range(3)]
    assert [found["label was denied: budget"] for found in told] == [1, 2, 3]


def test_what_happens_after_an_early_packet_is_in_the_next_one(reviewing: Reviewing) -> None:
    town = reviewing.town
    town.later(days=5)
    first = reviewing.packet(reviewing.owed())
    reviewing.close(first)
    town.later(days=1)
    reviewing.happens(EventKind.ACTION_DECISION, answer="deny", name="label", reasons=["budget"])
    town.later(days=2)
    reviewing.tick()
    second = reviewing.packet(reviewing.owed())

    assert first.window.end == second.window.begin
    assert texts(second)["label was denied: budget"] == 1


def test_a_period_that_has_not_begun_has_no_packet(reviewing: Reviewing) -> None:
    town = reviewing.town
    town.later(days=5)
    reviewing.close(reviewing.packet(reviewing.owed()))

    with pytest.raises(ReviewError, match="its period has not begun"):
        reviewing.packet(reviewing.owed())


def test_what_nobody_verified_is_not_called_sound(reviewing: Reviewing) -> None:
    """F18."""
    reviewing.town.later(hours=1)
    packet = reviewing.packet(reviewing.owed())

    assert packet.audit.faults is None
    assert packet.audit.size > packet.audit.anchored > 0
    assert "not verified" in as_text(packet)


def test_each_kind_of_review_asks_its_own_question_beside_the_two(reviewing: Reviewing) -> None:
    """R-39, R-42, R-72."""
    reviewing.town.later(hours=1)
    asked = {
        kind: reviewing.packet(reviewing.owed(kind)).questions
        for kind in ("periodic", "specification", "evaluation")
    }

    assert asked["periodic"] == ("Are priorities shifting?", "Is a metric optimised that nobody specified?")
    assert asked["specification"][2].startswith("Do purpose, tools, limits and never-list")
    assert asked["evaluation"][2].startswith("How was the agent evaluated")
