"""Transitions: another deployment starts at tier 0, and the one way back to earlier grants."""

from datetime import timedelta

import pytest

from profiles.effects import Effect, Tier
from rollout.transitions import (
    Return,
    Returned,
    go_back,
    matter_of_outdated,
    outdate,
    plan_return,
)
from runtime import deployments
from runtime.clock import new_id
from runtime.demotion import DemotionCause, drop
from runtime.deployments import DeploymentError
from runtime.grants import Issued
from runtime.people.roster import RefusalCode, Refused, Verified
from runtime.people.statement import SignedStatement, StatementType
from runtime.record.batch import Tx
from runtime.suspensions import suspended
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Person, Town
from tests.standins.towns import DORA, OLGA, ROSA, allowed, grant, order, staffed, town

__all__ = ["staffed", "town"]

DRAFTING = {Effect.READ, Effect.DRAFT}


class RefusedError(Exception):
    """A refusal inside a unit, which leaves nothing behind."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


def give_draft(town: Town, deployment: str) -> None:
    asked = order(town, Effect.DRAFT, deployment=deployment, owner=OWNER, days=30)
    assert isinstance(grant(town, asked, ROSA), Issued)


def two_deployments(town: Town, *, days: float = 0) -> tuple[str, str]:
    """An agent that was granted drafts, and was then deployed anew with another image."""
    first = deployed(town)
    give_draft(town, first)
    assert allowed(town, first) == DRAFTING
    town.later(hours=1)
    second = deployed(town, image="sha256:bb")
    town.later(days=days)
    return first, second


def planned(town: Town, to: str) -> Return:
    return town.read(
        lambda conn: plan_return(
            conn, "bot", OWNER, to, requester="bot", roster=town.state.roster, new_id=new_id, now=town.now
        )
    )


def returned(town: Town, plan: Return, by: Person = ROSA) -> Returned | Refused:
    signed = town.signed(by, plan.matter("the new image is broken"))
    words = {
        one.id: town.signed(by, one.matter(StatementType.ROLLBACK, reason="the new image is broken"))
        for one in plan.orders
    }
    return hand_in(town, plan, signed, words)


def hand_in(
    town: Town, plan: Return, signed: SignedStatement, words: dict[str, SignedStatement]
) -> Returned | Refused:
    def unit(tx: Tx) -> Returned:
        answer = go_back(
            tx,
            plan,
            "the new image is broken",
            signed,
            words,
            roster=town.state.roster,
            now=town.now,
        )
        if isinstance(answer, Refused):
            raise RefusedError(answer)
        return answer

    try:
        return town.write(unit)
    except RefusedError as error:
        return error.refused


def present(town: Town) -> str:
    return town.read(lambda conn: deployments.newest(conn, "bot").digest)


def test_another_deployment_starts_at_tier_0_and_the_earlier_one_loses_its_writes(staffed: Town) -> None:
    """R-40, R-76, F13: nothing goes over, on the spot."""
    first, second = two_deployments(staffed)

    assert allowed(staffed, first) == {Effect.READ}
    assert allowed(staffed, second) == {Effect.READ}


def test_within_the_window_one_managers_word_gives_the_earlier_grants_back(staffed: Town) -> None:
    first, second = two_deployments(staffed, days=13)
    plan = planned(staffed, first)
    answer = returned(staffed, plan)

    assert isinstance(answer, Returned), answer
    assert present(staffed) == first
    assert allowed(staffed, first) == DRAFTING
    assert plan.orders[0].valid_until - staffed.now < timedelta(days=30 - 13)
    assert allowed(staffed, second) == {Effect.READ}


def test_beyond_the_window_it_is_taken_up_again_at_tier_0(staffed: Town) -> None:
    first, _ = two_deployments(staffed, days=15)
    plan = planned(staffed, first)

    assert plan.orders == ()
    assert "more than 14 days ago" in str(plan.bare)
    assert isinstance(returned(staffed, plan), Returned)
    assert allowed(staffed, first) == {Effect.READ}


def test_what_fell_for_cause_does_not_come_back_by_going_back(staffed: Town) -> None:
    """F21."""
    first = deployed(staffed)
    assert isinstance(
        grant(staffed, order(staffed, Effect.DRAFT, deployment=first, owner=OWNER), ROSA), Issued
    )
    staffed.write(
        lambda tx: drop(tx, first, Tier.OBSERVE, DemotionCause.PATTERN, actor="rollout", now=staffed.now)
    )
    staffed.later(hours=1)
    deployed(staffed, image="sha256:bb")
    plan = planned(staffed, first)

    assert plan.orders == ()
    assert "for cause (pattern)" in str(plan.bare)


@pytest.mark.parametrize("by", [OLGA, DORA])
def test_neither_the_owner_nor_anyone_but_a_manager_goes_back(staffed: Town, by: Person) -> None:
    """F7."""
    first, second = two_deployments(staffed)
    answer = returned(staffed, planned(staffed, first), by)

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.NOT_PERMITTED
    assert present(staffed) == second
    assert allowed(staffed, first) == {Effect.READ}


def test_a_plan_without_the_word_for_a_grant_changes_nothing(staffed: Town) -> None:
    first, second = two_deployments(staffed)
    plan = planned(staffed, first)
    signed = staffed.signed(ROSA, plan.matter("the new image is broken"))
    answer = hand_in(staffed, plan, signed, {})

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.MISSING
    assert present(staffed) == second


def test_a_plan_is_void_when_another_deployment_came_meanwhile(staffed: Town) -> None:
    """F8."""
    first, _ = two_deployments(staffed)
    plan = planned(staffed, first)
    staffed.later(minutes=1)
    third = deployed(staffed, image="sha256:cc")
    answer = returned(staffed, plan)

    assert isinstance(answer, Refused)
    assert "ask again" in answer.detail
    assert present(staffed) == third


def test_one_cannot_go_back_to_the_present_or_to_a_strangers_deployment(staffed: Town) -> None:
    first, second = two_deployments(staffed)
    other = deployed(staffed, "other")

    for digest in (second, other):
        with pytest.raises(DeploymentError, match="no earlier deployment"):
            planned(staffed, digest)
    assert planned(staffed, first).before == second


def test_outdated_rules_suspend_writes_until_another_deployment_is_live(staffed: Town) -> None:
    """R-37, R-38: anyone enrolled may say so, and no resuming ends it."""
    first = deployed(staffed)
    assert isinstance(
        grant(staffed, order(staffed, Effect.DRAFT, deployment=first, owner=OWNER), ROSA), Issued
    )
    signed = staffed.signed(DORA, matter_of_outdated("bot", first, "the price list changed"))
    said = staffed.write(
        lambda tx: outdate(
            tx, "bot", first, "the price list changed", signed, roster=staffed.state.roster, now=staffed.now
        )
    )

    assert isinstance(said, Verified)
    assert allowed(staffed, first) == {Effect.READ}
    second = deployed(staffed, image="sha256:bb")
    held = staffed.read(lambda conn: suspended(conn, second, now=staffed.now, roster=staffed.state.roster))
    assert not held


def test_the_word_for_one_agent_does_not_suspend_another(staffed: Town) -> None:
    """F9."""
    first, other = deployed(staffed), deployed(staffed, "other")
    signed = staffed.signed(DORA, matter_of_outdated("bot", first, "changed"))
    answer = staffed.write(
        lambda tx: outdate(
            tx, "other", other, "changed", signed, roster=staffed.state.roster, now=staffed.now
        )
    )

    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER
