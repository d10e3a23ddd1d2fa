"""Closing a review: what it ends, renews and begins."""

from datetime import timedelta

import pytest
import yaml

from profiles.effects import Effect
from rollout.reviews.closing import Closed, Waiting
from rollout.reviews.closure import Word
from runtime.alerts.rules import Disposition
from runtime.people.changes import Applied
from runtime.people.roster import RefusalCode, Refused
from runtime.record.events import EventKind
from tests.standins.persons import Town
from tests.standins.reviewing import Reviewing
from tests.standins.towns import DORA, OLGA, ROSA, SVEN, allowed, staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def reviewing(staffed: Town) -> Reviewing:
    return Reviewing(staffed)


def ask_for_two(town: Town) -> None:
    """Let the policy ask for two persons to close a review."""
    policy = yaml.safe_load(town.state.head.text)
    policy["version"] += 1
    policy["reviews"] = {"close": {"count": 2, "roles": ["rollout-manager", "domain-reviewer", "security"]}}
    assert isinstance(town.change(yaml.safe_dump(policy), OLGA, ROSA), Applied)


def test_closing_renews_the_grants_until_the_next_review_and_its_grace(reviewing: Reviewing) -> None:
    """R-81: the end moves by a closed review alone."""
    town = reviewing.town
    reviewing.draft(days=9)
    town.later(days=6)
    closed = reviewing.close(reviewing.packet(reviewing.owed()))

    assert isinstance(closed, Closed), closed
    assert closed.persons == ("rosa",)
    assert [one.until for one in closed.renewed] == [town.now + timedelta(days=1 + 7 + 2)]
    assert closed.following is not None
    town.later(days=9)
    assert Effect.DRAFT in allowed(town, reviewing.deployment)
    town.later(days=1)
    assert Effect.DRAFT not in allowed(town, reviewing.deployment)


def test_the_next_review_is_owed_as_soon_as_one_is_closed(reviewing: Reviewing) -> None:
    """R-85."""
    reviewing.town.later(days=6)
    closed = reviewing.close(reviewing.packet(reviewing.owed()))

    assert isinstance(closed, Closed)
    assert reviewing.owed() == closed.following
    assert reviewing.town.kinds()[-3:] == ["review.closed", "review.moved", "review.owed"]


def test_an_overdue_review_suspends_writes_until_it_is_closed(reviewing: Reviewing) -> None:
    """R-35, R-42: overdue takes writes away, and the closing gives them back."""
    town = reviewing.town
    reviewing.draft(days=20)
    reviewing.later(days=7)
    assert allowed(town, reviewing.deployment) == {Effect.READ}

    town.later(hours=5)
    assert isinstance(reviewing.close(reviewing.packet(reviewing.owed())), Closed)
    assert allowed(town, reviewing.deployment) == {Effect.READ, Effect.DRAFT}


def test_overdue_stays_until_each_of_them_is_closed(reviewing: Reviewing) -> None:
    """F3: after three weeks nothing is renewed before the last missed review is closed."""
    town = reviewing.town
    reviewing.draft(days=30)
    reviewing.later(days=22)

    for left in (2, 1, 0):
        packet = reviewing.packet(reviewing.owed())
        assert (packet.renews_until is None) == bool(left)
        assert isinstance(reviewing.close(packet), Closed)
        assert (Effect.DRAFT in allowed(town, reviewing.deployment)) == (left == 0)


def test_an_expired_read_grant_is_renewed_and_an_expired_write_is_not(staffed: Town) -> None:
    """R-81: what ended takes the whole way again, only reading comes back."""
    reviewing = Reviewing(staffed, days=10)
    reviewing.draft(days=10)
    reviewing.later(days=15)
    reviewing.close(reviewing.packet(reviewing.owed()))
    assert allowed(staffed, reviewing.deployment) == set()

    packet = reviewing.packet(reviewing.owed())
    closed = reviewing.close(packet)

    assert isinstance(closed, Closed), closed
    assert len(closed.renewed) == 1
    assert allowed(staffed, reviewing.deployment) == {Effect.READ}


def test_nothing_need_be_renewed(reviewing: Reviewing) -> None:
    draft = reviewing.draft(days=9)
    reviewing.town.later(days=6)
    packet = reviewing.packet(reviewing.owed())
    closed = reviewing.close(packet, closure=reviewing.says(packet, renews=()))

    assert isinstance(closed, Closed)
    assert closed.renewed == ()
    assert draft.valid_until - reviewing.town.now == timedelta(days=3)


def test_what_nobody_can_explain_becomes_an_incident_and_suspends_writes(reviewing: Reviewing) -> None:
    """R-54."""
    town = reviewing.town
    reviewing.draft(days=20)
    reviewing.happens(EventKind.ACTION_OUTCOME, status="unknown")
    town.later(days=6)
    packet = reviewing.packet(reviewing.owed())
    words = tuple(Word(one.id, Disposition.UNEXPLAINED, "no idea") for one in packet.patterns)
    closed = reviewing.close(packet, closure=reviewing.says(packet, words=words))

    assert isinstance(closed, Closed), closed
    assert len(closed.incidents) == 1
    assert allowed(town, reviewing.deployment) == {Effect.READ}
    assert town.entry("incident.opened", -1).leaf.data["cause"] == "unexplained"


def test_where_the_policy_asks_for_two_both_sign_the_same(reviewing: Reviewing) -> None:
    town = reviewing.town
    ask_for_two(town)
    reviewing.later(days=7)
    packet = reviewing.packet(reviewing.owed())

    first = reviewing.close(packet, ROSA)
    assert isinstance(first, Waiting)
    assert first.persons == ("rosa",)
    other = reviewing.close(packet, DORA, reviewing.says(packet, answers=("yes", "no")))
    assert isinstance(other, Waiting)
    assert other.persons == ("dora",)
    town.later(minutes=1)
    second = reviewing.close(packet, SVEN)
    assert isinstance(second, Closed), second
    assert second.persons == ("rosa", "sven")


def test_one_person_is_one_voice_however_often_it_signs(reviewing: Reviewing) -> None:
    """F5."""
    ask_for_two(reviewing.town)
    reviewing.town.later(days=6)
    packet = reviewing.packet(reviewing.owed())

    answers = [reviewing.close(packet, ROSA) for _ in range(2)]
    assert [isinstance(one, Waiting) and one.persons for one in answers] == [("rosa",), ("rosa",)]


def test_printing_again_voids_the_words_that_wait(reviewing: Reviewing) -> None:
    """F8: what was signed for is what stands, or nothing."""
    town = reviewing.town
    ask_for_two(town)
    town.later(days=6)
    reviewing.close(reviewing.packet(reviewing.owed()), ROSA)
    town.later(minutes=1)
    answer = reviewing.close(reviewing.packet(reviewing.owed()), SVEN)

    assert isinstance(answer, Waiting)
    assert answer.persons == ("sven",)


def test_words_about_two_packets_do_not_end_an_overdue_suspension_together(reviewing: Reviewing) -> None:
    town = reviewing.town
    ask_for_two(town)
    reviewing.draft(days=20)
    reviewing.later(days=7)
    town.later(minutes=1)
    reviewing.close(reviewing.packet(reviewing.owed()), ROSA)
    town.later(minutes=1)
    reviewing.close(reviewing.packet(reviewing.owed()), SVEN)

    assert allowed(town, reviewing.deployment) == {Effect.READ}


def test_a_review_that_falls_due_meanwhile_makes_the_renewal_stale(reviewing: Reviewing) -> None:
    town = reviewing.town
    reviewing.draft(days=9)
    town.later(days=6)
    packet = reviewing.packet(reviewing.owed())
    town.tamper("UPDATE obligation SET due_at = '2026-11-28T09:00:00.000000Z' WHERE kind = 'specification'")
    answer = reviewing.close(packet)

    assert isinstance(answer, Refused)
    assert "print it again" in answer.detail


def test_the_owner_closes_nothing(reviewing: Reviewing) -> None:
    reviewing.town.later(days=6)
    answer = reviewing.close(reviewing.packet(reviewing.owed()), OLGA)

    assert answer == Refused(RefusalCode.NOT_PERMITTED, "the agent's owner does not close its reviews")
