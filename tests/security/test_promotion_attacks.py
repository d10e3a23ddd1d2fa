"""Threat: someone gets a class granted without the evidence, the persons, or the moment that it takes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from profiles.effects import Effect, Tier
from profiles.policy import Threshold
from profiles.risk import Risk
from rollout.gates.model import GateId
from rollout.promotions.applying import Applied, Over, Standing
from rollout.promotions.asking import ask
from rollout.promotions.demoting import Demoted, demote
from rollout.promotions.ending import sweep
from rollout.promotions.frozen import Frozen, PromotionError
from rollout.promotions.matters import matter_to_ask, matter_to_demote, matter_to_except
from rollout.promotions.states import PromotionState
from rollout.promotions.voting import Voted
from runtime.clock import new_id
from runtime.demotion import DemotionCause, drop
from runtime.freeze_rules import Scope
from runtime.people.revocation import matter_to_revoke, revoke_keys
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import suspend
from tests.standins.deployed import deployed
from tests.standins.persons import Person, Town, policy_of
from tests.standins.promoting import AGENT, Stage, failing
from tests.standins.towns import (
    DORA,
    LENA,
    OLGA,
    ROSA,
    STAFF,
    SVEN,
    lift,
    set_freeze,
    staffed,
    stop_of,
    town,
)

__all__ = ["staffed", "town"]

READ, DRAFT, UPDATE, SEND, CRITICAL = Effect
INSERT_VOTE = (
    "INSERT INTO promotion_vote (statement, promotion, person, approves, cast_at)"
    " SELECT id, :promotion, 'rosa', TRUE, '2026-11-21T09:00:00.000000Z' FROM statement LIMIT 1"
)
RAISE_ALERT = (
    "INSERT INTO alert (id, fingerprint, agent, deployment, rule, severity, tool, resource, state, count,"
    " first_at, last_at, due_at) VALUES ('alert-1', 'f', 'bot', :deployment, 'unexpected-tool', 'medium',"
    " 't', 'r', 'open', 1, '2026-11-21T09:00:00.000000Z', '2026-11-21T09:00:00.000000Z',"
    " '2026-11-22T09:00:00.000000Z')"
)


@pytest.fixture
def stage(staffed: Town) -> Stage:
    """An agent at tier 0 whose evidence is good."""
    return Stage(staffed)


def code(answer: object) -> RefusalCode | None:
    return answer.code if isinstance(answer, Refused) else None


def over(answer: object) -> str | None:
    return answer.state.value if isinstance(answer, Over) else None


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


# --- F10: something happens between looking and applying


def test_an_alert_that_opens_between_evaluation_and_apply_stops_it(stage: Stage) -> None:
    """F10: refused in the same transaction."""
    frozen = stage.approved()
    looked = stage.examine(frozen)
    assert isinstance(looked, Standing)
    assert looked.ready

    def unit(tx: Tx) -> object:
        tx.conn.execute(text(RAISE_ALERT), {"deployment": stage.deployment})
        return stage.apply_in(tx, frozen)

    assert failing(stage.town.write(unit)) == {GateId.G5}  # type: ignore[arg-type]  # what apply answers
    assert stage.allowed == {READ}
    assert stage.state(frozen) == PromotionState.AWAITING, "it waits until the alert is closed"


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


# --- F20: demotion wins


def test_a_demotion_voids_an_open_request(stage: Stage) -> None:
    """F20: also where there was nothing to take away."""
    frozen = stage.approved()

    demoted = stage.demote(SVEN)

    assert isinstance(demoted, Demoted)
    assert (demoted.revoked, demoted.voided) == ((), (frozen.promotion,))
    assert over(stage.apply(frozen)) == PromotionState.STALE
    assert stage.allowed == {READ}


def test_demotion_and_promotion_in_one_transaction_end_in_demotion(stage: Stage) -> None:
    """F20: whichever comes first."""
    first = stage.approved()

    def promote_then_drop(tx: Tx) -> object:
        answer = stage.apply_in(tx, first)
        drop(tx, stage.deployment, Tier.OBSERVE, DemotionCause.NEVER, actor="gate", now=tx.now)
        return answer

    assert isinstance(stage.town.write(promote_then_drop), Applied)
    assert stage.allowed == {READ}


def test_power_taken_in_the_same_transaction_is_seen_by_apply(stage: Stage) -> None:
    """F20: rows tell what the record does not hold yet."""
    stage.apply(stage.approved())
    stage.town.later(hours=1)
    update = stage.asked(effect=UPDATE)
    stage.approve(update, ROSA)
    stage.approve(update, DORA)

    def drop_then_promote(tx: Tx) -> object:
        drop(tx, stage.deployment, Tier.OBSERVE, DemotionCause.OUT_OF_SCOPE, actor="gate", now=tx.now)
        return stage.apply_in(tx, update)

    assert over(stage.town.write(drop_then_promote)) == PromotionState.STALE
    assert stage.allowed == {READ}


def test_a_request_of_the_same_transaction_falls_with_the_demotion(stage: Stage) -> None:
    """F20: many units share a transaction, in which the record does not know the newest ones yet."""
    matter = matter_to_ask(
        new_id("prom"), agent=AGENT, deployment=stage.deployment, effect=DRAFT, reason="well"
    )
    asking = stage.town.signed(OLGA, matter)
    demoting = stage.town.signed(
        SVEN, matter_to_demote(AGENT, stage.deployment, Tier.OBSERVE, reason="odd mails")
    )

    def unit(tx: Tx) -> object:
        roster = stage.roster(tx)
        assert isinstance(ask(tx, asking, assessor=stage.eyes, roster=roster, new_id=new_id), Frozen)
        assert sweep(tx, roster=roster) == (), "the clock does not take it for a row made by hand"
        return demote(tx, demoting, roster=roster)

    demoted = stage.town.write(unit)

    assert isinstance(demoted, Demoted)
    assert demoted.voided == (matter.subject,)


@pytest.mark.parametrize("deployment", ["its own", EVERYTHING])
def test_a_suspension_voids_an_open_request_even_if_its_row_is_deleted(stage: Stage, deployment: str) -> None:
    """F20: the record tells of rows that were removed."""
    frozen = stage.approved()
    of = stage.deployment if deployment == "its own" else deployment
    stage.town.write(
        lambda tx: suspend(
            tx,
            of,
            effect=None,
            code=SuspensionCode.HEARTBEAT,
            subject="monitor",
            reason="silent",
            now=tx.now,
        )
    )
    stage.town.tamper("DELETE FROM suspension")

    assert over(stage.apply(frozen)) == PromotionState.STALE


@pytest.mark.parametrize(
    ("scope", "target", "voids"),
    [
        (Scope.ALL, "all", True),
        (Scope.AGENT, AGENT, True),
        (Scope.AGENT, "other", False),
        (Scope.DEPLOYMENT, "d2" * 32, False),
    ],
)
def test_a_freeze_voids_an_open_request_also_when_it_is_lifted(
    stage: Stage, scope: Scope, target: str, *, voids: bool
) -> None:
    """F20, G13."""
    frozen = stage.approved()
    stop = stop_of(scope, target, stage.town)
    set_freeze(stage.town, stop, LENA)
    lift(stage.town, stop.id, OLGA)

    assert (over(stage.apply(frozen)) == PromotionState.STALE) is voids


def test_a_freeze_that_stood_before_blocks_and_voids_nothing(stage: Stage) -> None:
    """G13."""
    stop = stop_of(Scope.AGENT, AGENT, stage.town)
    set_freeze(stage.town, stop, LENA)
    stage.town.later(minutes=1)
    frozen = stage.approved()
    assert failing(stage.apply(frozen)) == {GateId.G13}
    lift(stage.town, stop.id, OLGA)

    assert isinstance(stage.apply(frozen), Applied)


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
