"""Threat: what was approved is edited afterwards, or the words for it are used again, elsewhere (F8, F9)."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from profiles.policy import Threshold
from rollout.gates.model import GateId
from rollout.promotions.applying import Applied
from rollout.promotions.frozen import Frozen, PromotionError
from rollout.promotions.matters import matter_to_ask
from rollout.promotions.states import PromotionState
from rollout.promotions.voting import Voted
from runtime.clock import new_id
from runtime.people.roster import RefusalCode
from tests.standins.deployed import deployed
from tests.standins.promoting import AGENT, Stage, code, failing, over, stage
from tests.standins.towns import (
    OLGA,
    ROSA,
    STAFF,
    SVEN,
    staffed,
    town,
)

__all__ = ["staffed", "stage", "town"]

READ, DRAFT, UPDATE, SEND, _ = Effect


# --- F8: what was approved is edited


def test_a_new_harmful_verdict_after_the_approval_stops_it(stage: Stage) -> None:
    """F8, R-44: what has become known since may only stop it."""
    stage.judge("sug-1")
    frozen = stage.approved()
    stage.judge("sug-2", "harmful")

    assert GateId.G4 in failing(stage.apply(frozen))
    assert stage.allowed == {READ}


def test_more_verdicts_after_the_approval_edit_nothing(stage: Stage) -> None:
    stage.judge("sug-1")
    frozen = stage.approved()
    stage.judge("sug-2")

    assert isinstance(stage.apply(frozen), Applied)


def test_an_edited_verdict_after_the_approval_voids_it(stage: Stage) -> None:
    """F8: the competitors' failure, an edited approval that still verifies."""
    stage.judge("sug-1")
    frozen = stage.approved()
    at, _ = stage.eyes.judged["sug-1"]
    stage.eyes.judged["sug-1"] = (at, "disagree")

    assert over(stage.apply(frozen)) == PromotionState.STALE
    assert stage.allowed == {READ}
    assert over(stage.apply(frozen)) == PromotionState.STALE, "it stays over"


def test_a_verdict_that_counts_no_more_voids_the_approval(stage: Stage) -> None:
    """F17: the verdicts of a failed reviewer are un-counted."""
    stage.judge("sug-1")
    stage.judge("sug-2")
    frozen = stage.approved()
    del stage.eyes.judged["sug-2"]

    assert over(stage.apply(frozen)) == PromotionState.STALE


@pytest.mark.parametrize("field", ["effect", "deployment", "valid_until", "reason", "evidence", "owner"])
def test_frozen_bytes_that_were_edited_in_the_database_are_not_believed(stage: Stage, field: str) -> None:
    """F8."""
    frozen = stage.approved()
    changed = {
        "effect": SEND,
        "deployment": "d2" * 32,
        "valid_until": frozen.valid_until + timedelta(days=20),
        "reason": "something else",
        "evidence": frozen.evidence | {"risk": "Medium"},
        "owner": "mallory",
    }
    edited = frozen.model_copy(update={field: changed[field]})
    stage.town.tamper(
        "UPDATE promotion SET frozen = :frozen, basis = :basis, effect = :effect, deployment = :deployment",
        frozen=edited.to_bytes(),
        basis=edited.basis,
        effect=edited.effect.value,
        deployment=edited.deployment,
    )

    with pytest.raises(PromotionError, match="not what was recorded"):
        stage.apply(frozen)
    assert stage.allowed == {READ}


def test_an_approval_of_other_bytes_is_no_approval(stage: Stage) -> None:
    """F8: a client that was shown something else signs something else."""
    frozen = stage.asked()
    other = frozen.model_copy(update={"valid_until": frozen.valid_until + timedelta(days=1)})
    lighter = frozen.model_copy(update={"evidence": frozen.evidence | {"risk": "Medium"}})

    for shown in (other, lighter):
        assert code(stage.approve(shown, on=frozen.promotion)) is RefusalCode.OTHER_MATTER
    assert failing(stage.apply(frozen)) == {GateId.G12}


def test_another_deployment_voids_the_request(stage: Stage) -> None:
    """F8, F13, R-40."""
    frozen = stage.approved()
    deployed(stage.town, AGENT, profile="action-executor", image="sha256:bb")

    assert over(stage.apply(frozen)) == PromotionState.STALE
    assert stage.allowed == {READ}


def test_a_changed_profile_voids_the_request(stage: Stage) -> None:
    """F8."""
    frozen = stage.approved()
    stage.eyes.profile = "ab" * 32

    assert over(stage.apply(frozen)) == PromotionState.STALE


def test_a_changed_policy_voids_the_request(stage: Stage) -> None:
    """F25: thresholds that were lowered meanwhile belong to another request."""
    frozen = stage.approved()
    lower = STAFF.replace("version: 1", "version: 2").replace("promotion_hours: 72", "promotion_hours: 71")
    stage.town.change(lower, OLGA, ROSA)

    assert over(stage.apply(frozen)) == PromotionState.STALE


def test_a_new_owner_voids_the_request(stage: Stage) -> None:
    """F7: who may not approve would be someone else."""
    frozen = stage.approved()
    stage.town.tamper("UPDATE agent SET owner = 'lena'")

    assert over(stage.apply(frozen)) == PromotionState.STALE


def test_thresholds_stand_in_what_is_signed(stage: Stage) -> None:
    """F25, and the competitor's failure: a caller cannot bring thresholds."""
    strict = stage.asked()
    stage.withdraw(strict, OLGA)
    stage.eyes.threshold = Threshold(agreement=0.99, observed_days=30)
    lax = stage.asked()

    assert strict.evidence["threshold"] != lax.evidence["threshold"]
    assert code(stage.approve(strict, on=lax.promotion)) is RefusalCode.OTHER_MATTER


# --- F9: the same words again, elsewhere


def test_an_approval_is_used_once(stage: Stage) -> None:
    """F9."""
    frozen = stage.asked()
    signed = stage.town.signed(ROSA, frozen.order.matter())

    assert isinstance(stage.hand_in_yes(frozen.promotion, signed), Voted)
    assert code(stage.hand_in_yes(frozen.promotion, signed)) is RefusalCode.USED


def test_an_approval_fits_no_other_request(stage: Stage) -> None:
    """F9: another class, and the same class asked for again."""
    first = stage.asked()
    signed = stage.town.signed(ROSA, first.order.matter())
    send = stage.asked(effect=SEND)
    assert code(stage.hand_in_yes(send.promotion, signed)) is RefusalCode.OTHER_MATTER
    stage.withdraw(first, OLGA)
    again = stage.asked()

    assert code(stage.hand_in_yes(again.promotion, signed)) is RefusalCode.OTHER_MATTER


def test_a_request_for_one_deployment_asks_for_no_other(stage: Stage) -> None:
    """F9: another digest, another agent."""
    other = deployed(stage.town, "other", profile="action-executor", image="sha256:cc")

    assert code(stage.ask(deployment=other)) is RefusalCode.OTHER_MATTER
    assert code(stage.ask(deployment="d2" * 32)) is RefusalCode.OTHER_MATTER


def test_a_request_is_made_once(stage: Stage) -> None:
    """F9."""
    matter = matter_to_ask(
        new_id("prom"), agent=AGENT, deployment=stage.deployment, effect=DRAFT, reason="well"
    )
    signed = stage.town.signed(OLGA, matter)
    frozen = stage.hand_in_request(signed)
    assert isinstance(frozen, Frozen)
    stage.withdraw(frozen, OLGA)

    assert code(stage.hand_in_request(signed)) is RefusalCode.USED
    assert code(stage.hand_in_request(stage.town.signed(OLGA, matter))) is RefusalCode.USED


def test_a_grant_does_not_come_back_by_its_old_request(stage: Stage) -> None:
    frozen = stage.approved()
    assert isinstance(stage.apply(frozen), Applied)
    stage.demote(SVEN)

    assert over(stage.apply(frozen)) == PromotionState.APPLIED
    assert stage.allowed == {READ}


@pytest.mark.parametrize("state", ["awaiting", "evidence_frozen"])
def test_a_row_that_is_set_back_revives_nothing(stage: Stage, state: str) -> None:
    frozen = stage.approved()
    stage.reject(frozen, SVEN)
    stage.town.tamper("UPDATE promotion SET state = :state, ended_at = NULL", state=state)

    assert over(stage.apply(frozen)) == PromotionState.REJECTED
    assert code(stage.approve(frozen, ROSA)) is RefusalCode.EXPIRED
    assert stage.allowed == {READ}
