"""Threat: someone who can write to the database, or who waits, gets a class granted. (G12, R-31)"""

from datetime import timedelta

import pytest

from profiles.effects import Effect, Tier
from rollout.gates.model import GateId
from rollout.promotions.applying import Applied, Standing
from rollout.promotions.demoting import Demoted, demote
from rollout.promotions.frozen import Frozen, PromotionError
from rollout.promotions.matters import matter_to_demote
from rollout.promotions.voting import Voted
from runtime.people.roster import RefusalCode
from runtime.people.statement import SignedStatement
from tests.standins.promoting import Stage, code, failing, stage
from tests.standins.towns import (
    DORA,
    ROSA,
    SVEN,
    staffed,
    town,
)

__all__ = ["staffed", "stage", "town"]

READ, DRAFT, UPDATE, SEND, CRITICAL = Effect
INSERT_VOTE = (
    "INSERT INTO promotion_vote (statement, promotion, person, approves, cast_at)"
    " SELECT id, :promotion, 'rosa', TRUE, '2026-11-21T09:00:00.000000Z' FROM statement LIMIT 1"
)


# --- rows by hand


def test_a_vote_row_put_in_by_hand_is_no_vote(stage: Stage) -> None:
    """A row decides nothing."""
    frozen = stage.asked()
    stage.town.tamper(INSERT_VOTE, promotion=frozen.promotion)
    stage.town.tamper("UPDATE promotion SET state = 'awaiting'")

    assert failing(stage.apply(frozen)) == {GateId.G12}


def test_a_request_row_put_in_by_hand_is_no_request(stage: Stage) -> None:
    frozen = stage.asked()
    other = frozen.model_copy(
        update={"promotion": "prom-aaaaaaaaaaaaaaaa", "grant": "grant-x", "effect": SEND}
    )
    stage.town.tamper(
        "INSERT INTO promotion SELECT :id, deployment, agent, 'send', 'awaiting', requester, owner,"
        " 'grant-x', :frozen, :basis, valid_from, valid_until, created_at, expires_at, NULL, NULL"
        " FROM promotion",
        id=other.promotion,
        frozen=other.to_bytes(),
        basis=other.basis,
    )

    with pytest.raises(PromotionError, match="not what was recorded"):
        stage.approve(other, ROSA)
    with pytest.raises(PromotionError, match="not what was recorded"):
        stage.apply(other)
    stage.town.later(minutes=1)
    assert stage.sweep() == (other.promotion,), "it stands in nobody's way"


@pytest.mark.parametrize("rejected", [False, True])
def test_a_grant_row_made_from_real_approvals_grants_nothing(stage: Stage, *, rejected: bool) -> None:
    """People sign before the gates pass: their words alone, without `apply`, are no grant."""
    stage.eyes.observed = timedelta(days=1)
    frozen = stage.approved()
    if rejected:
        stage.reject(frozen, SVEN)
    stage.town.tamper(
        "INSERT INTO effect_grant (id, deployment, effect, valid_from, valid_until, requester, owner, basis,"
        ' issued_at) SELECT "grant", deployment, effect, valid_from, valid_until, requester, owner, basis,'
        " created_at FROM promotion"
    )
    stage.town.tamper(
        'INSERT INTO grant_cause ("grant", statement)'
        " SELECT subject, id FROM statement WHERE subject = :grant",
        grant=frozen.grant,
    )

    assert stage.allowed == {READ}


def test_a_statement_that_was_never_handed_in_is_no_vote(stage: Stage) -> None:
    """The votes are found by their statements; a forged one has no signature of rosa's."""
    frozen = stage.asked()
    real = stage.town.signed(ROSA, frozen.order.matter())
    forged = SignedStatement(real.body, stage.town.signed(SVEN, frozen.order.matter()).signature)

    assert code(stage.hand_in_yes(frozen.promotion, forged)) is RefusalCode.BAD_SIGNATURE


# --- time


def test_an_approval_that_is_too_old_counts_no_more_and_may_be_given_again(stage: Stage) -> None:
    """G12: approvals at most promotion_hours old."""
    stage.eyes.next_review = timedelta(days=20)
    frozen = stage.approved()
    stage.town.later(hours=72, seconds=1)
    assert failing(stage.apply(frozen)) == {GateId.G12}
    assert stage.allowed == {READ}

    assert isinstance(stage.approve(frozen, ROSA), Voted)
    assert stage.town.count("promotion_vote") == 1
    assert isinstance(stage.apply(frozen), Applied)


# --- R-31, single-user mode


def test_agreeing_never_executes_and_never_grants(stage: Stage) -> None:
    """R-31 (breeze#6202): verdicts are evidence; a grant takes a request, approvals and apply."""
    for number in range(200):
        stage.judge(f"sug-{number}")

    assert stage.sweep() == ()
    assert stage.allowed == {READ}
    assert stage.town.count("promotion") == 0


@pytest.mark.parametrize(("effect", "may"), [(DRAFT, True), (UPDATE, False), (SEND, False)])
def test_one_user_alone_promotes_nothing_above_tier_1(stage: Stage, effect: Effect, *, may: bool) -> None:
    stage.single_user = True

    assert isinstance(stage.ask(effect=effect), Frozen) is may


def test_a_request_made_elsewhere_is_not_applied_in_single_user_mode(stage: Stage) -> None:
    stage.apply(stage.approved())
    stage.town.later(hours=1)
    frozen = stage.asked(effect=UPDATE)
    stage.approve(frozen, ROSA)
    stage.approve(frozen, DORA)
    stage.single_user = True

    standing = stage.apply(frozen)

    assert isinstance(standing, Standing)
    assert not standing.ready
    assert standing.obstacles
    assert UPDATE not in stage.allowed


# --- demotion's own words


def test_a_word_to_demote_is_used_once_and_only_for_its_deployment(stage: Stage) -> None:
    """F9."""
    matter = matter_to_demote("other", stage.deployment, Tier.OBSERVE, reason="odd")
    signed = stage.town.signed(SVEN, matter)
    answer = stage.town.write(lambda tx: demote(tx, signed, roster=stage.roster(tx)))

    assert code(answer) is RefusalCode.OTHER_MATTER


def test_no_word_demotes_upwards(stage: Stage) -> None:
    """Demoting revokes; it never issues."""
    assert isinstance(stage.demote(SVEN, Tier.EXTERNAL), Demoted)
    assert stage.allowed == {READ}
    assert code(stage.demote(SVEN, Tier.CRITICAL)) is RefusalCode.MALFORMED
