"""Threat: the wrong persons decide, or one of them twice, or two except what they may not (F5-F7, R-32)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from profiles.effects import Effect
from profiles.risk import Risk
from rollout.gates.model import GateId
from rollout.promotions.applying import Applied, Over, Standing
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import matter_to_except
from rollout.promotions.states import PromotionState
from rollout.promotions.voting import Voted
from runtime.people.revocation import matter_to_revoke, revoke_keys
from runtime.people.roster import RefusalCode
from tests.standins.persons import Person, Town, policy_of
from tests.standins.promoting import Stage, code, failing, over, stage
from tests.standins.towns import (
    DORA,
    LENA,
    OLGA,
    ROSA,
    STAFF,
    SVEN,
    staffed,
    town,
)

__all__ = ["staffed", "stage", "town"]

READ, _, UPDATE, SEND, _ = Effect


# --- F6, F7, F5: who counts


def test_an_approver_who_lost_the_role_counts_no_more(stage: Stage) -> None:
    """F6: asked again at apply. The changed policy also voids the request."""
    frozen = stage.approved()
    stage.town.change(STAFF.replace("version: 1", "version: 2").replace("[rollout]", "[nobody]"), OLGA, ROSA)

    assert isinstance(stage.apply(frozen), Over)
    assert stage.allowed == {READ}


def test_an_approver_whose_key_was_revoked_counts_no_more(stage: Stage) -> None:
    """F6: no new policy version is needed for it."""
    frozen = stage.approved()
    signed = stage.town.signed(OLGA, matter_to_revoke(stage.town.state, "rosa", reason="stolen"))
    stage.town.write(lambda tx: revoke_keys(tx, stage.town.book.current(tx.conn), signed, now=tx.now))

    assert failing(stage.apply(frozen)) == {GateId.G12}
    assert stage.allowed == {READ}


def test_the_requester_and_the_owner_never_approve(stage: Stage) -> None:
    """F7."""
    mine = stage.asked(ROSA)

    assert code(stage.approve(mine, ROSA)) is RefusalCode.NOT_PERMITTED
    assert code(stage.approve(mine, OLGA)) is RefusalCode.NOT_PERMITTED


def test_a_second_key_of_the_requester_is_the_requester(town: Town) -> None:
    """F7: identities map to a person."""
    spare = Person("rosa")
    staff = policy_of(
        OLGA.enrolled("operations", "rollout", "policy", identities=["unix:boss"]),
        ROSA.enrolled("rollout", "policy", also=[spare]),
    )
    town.begin(staff, OLGA, ROSA, spare)
    stage = Stage(town)
    asked = stage.asked(ROSA)

    assert code(stage.approve(asked, spare)) is RefusalCode.NOT_PERMITTED
    assert code(stage.approve(asked, OLGA)) is RefusalCode.NOT_PERMITTED, "she owns the agent"


def test_an_owner_by_account_is_the_owner(town: Town) -> None:
    """F7: the agent's owner is named by an account of the rollout manager's."""
    staff = policy_of(
        OLGA.enrolled("operations", "policy"),
        ROSA.enrolled("rollout", "policy", identities=["unix:rosa"]),
    )
    town.begin(staff, OLGA, ROSA)
    stage = Stage(town)
    town.tamper("UPDATE agent SET owner = 'unix:rosa'")
    asked = stage.asked()

    assert asked.owner == "rosa"
    assert code(stage.approve(asked, ROSA)) is RefusalCode.NOT_PERMITTED


def test_the_only_reviewer_of_the_evidence_never_approves(stage: Stage) -> None:
    stage.eyes.reviewers = ("rosa",)
    frozen = stage.asked()
    assert code(stage.approve(frozen, ROSA)) is RefusalCode.NOT_PERMITTED


def test_an_approver_who_is_left_as_the_only_reviewer_counts_no_more(stage: Stage) -> None:
    stage.eyes.reviewers = ("rosa", "sven")
    frozen = stage.approved()
    stage.eyes.reviewers = ("rosa",)

    assert failing(stage.apply(frozen)) == {GateId.G12}
    assert stage.allowed == {READ}


def test_the_same_person_twice_is_one_voice(stage: Stage) -> None:
    """F5: two tabs."""
    frozen = stage.asked(effect=UPDATE)

    assert isinstance(stage.approve(frozen, ROSA), Voted)
    assert code(stage.approve(frozen, ROSA)) is RefusalCode.USED
    assert stage.town.count("promotion_vote") == 1
    standing = stage.apply(frozen)
    assert isinstance(standing, Standing)
    assert standing.approvals.missing


def test_two_managers_at_once_make_one_promotion(stage: Stage) -> None:
    """F5: one transition, however many apply at the same moment."""
    frozen = stage.approved()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: stage.apply(frozen), range(12)))

    assert sum(isinstance(answer, Applied) for answer in answers) == 1
    assert sum(over(answer) == PromotionState.APPLIED for answer in answers) == 11
    assert stage.town.kinds().count("promotion.applied") == 1
    assert stage.town.count("effect_grant") == 2


def test_two_persons_of_one_group_do_not_open_the_mail(stage: Stage) -> None:
    frozen = stage.asked(effect=SEND)
    stage.approve(frozen, ROSA)
    stage.approve(frozen, DORA)

    assert GateId.G12 in failing(stage.apply(frozen)), "nobody of security"


# --- exceptions


def short(stage: Stage) -> Frozen:
    """An approved request of an agent that was observed for two days only."""
    stage.eyes.observed, stage.eyes.days = timedelta(days=2), 1
    return stage.approved()


def test_two_persons_of_two_groups_shorten_dwell_and_days_and_it_is_recorded(stage: Stage) -> None:
    """R-32: a shorter observation needs a recorded exception."""
    frozen = short(stage)
    assert failing(stage.apply(frozen)) == {GateId.G1, GateId.G2}
    stage.allow(frozen, SVEN, GateId.G1, GateId.G2)
    assert failing(stage.apply(frozen)) == {GateId.G1, GateId.G2}, "one person is not enough"
    stage.allow(frozen, DORA, GateId.G1)
    assert failing(stage.apply(frozen)) == {GateId.G2}, "each gate takes two"
    stage.allow(frozen, LENA, GateId.G2)

    applied = stage.apply(frozen)

    assert isinstance(applied, Applied)
    assert [gate.gate for gate in applied.gates if gate.excepted] == [GateId.G1, GateId.G2]
    assert stage.town.kinds().count("promotion.excepted") == 3


@pytest.mark.parametrize("who", [OLGA, ROSA])
def test_requester_and_owner_sign_no_exception(stage: Stage, who: Person) -> None:
    stage.eyes.observed = timedelta(days=2)
    frozen = stage.asked(ROSA)

    assert code(stage.allow(frozen, who, GateId.G1)) is RefusalCode.NOT_PERMITTED


@pytest.mark.parametrize("gates", [(), (GateId.G3,), (GateId.G1, GateId.G4), (GateId.G12,)])
def test_nothing_but_dwell_and_days_can_be_excepted(stage: Stage, gates: tuple[GateId, ...]) -> None:
    frozen = stage.asked()

    assert code(stage.allow(frozen, SVEN, *gates)) is RefusalCode.NOT_PERMITTED


def test_there_is_no_exception_for_a_critical_agent(stage: Stage) -> None:
    """R-32: impossible for Critical."""
    stage.eyes.risk = Risk.CRITICAL
    frozen = short(stage)

    assert code(stage.allow(frozen, SVEN, GateId.G1, GateId.G2)) is RefusalCode.NOT_PERMITTED


def test_an_exception_ends_when_the_agent_becomes_critical(stage: Stage) -> None:
    frozen = short(stage)
    stage.allow(frozen, SVEN, GateId.G1, GateId.G2)
    stage.allow(frozen, DORA, GateId.G1, GateId.G2)
    stage.eyes.risk = Risk.CRITICAL

    assert failing(stage.apply(frozen)) == {GateId.G1, GateId.G2}


def test_an_exception_fits_no_other_request(stage: Stage) -> None:
    """F9."""
    frozen = short(stage)
    other = matter_to_except(frozen.promotion, "ab" * 32, gates=[GateId.G1], reason="a pilot")

    assert code(stage.allow(frozen, SVEN, matter=other)) is RefusalCode.OTHER_MATTER


def test_nobody_shortens_the_e_process(stage: Stage) -> None:
    """F15: too few samples stay inconclusive, whatever is excepted."""
    frozen = short(stage)
    stage.judge("sug-1", "harmful")
    for who in (SVEN, DORA):
        stage.allow(frozen, who, GateId.G1, GateId.G2)

    assert failing(stage.apply(frozen)) >= {GateId.G4}
