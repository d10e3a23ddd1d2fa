"""Evidence from a real record: what each part of it is read from, and what nobody can slip in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from profiles.effects import Effect, Tier
from profiles.risk import Risk
from rollout.errors import RolloutError
from rollout.evidence.assessor import Assessor
from rollout.evidence.model import AuditState, Evidence
from rollout.gates.evaluate import evaluate
from rollout.gates.model import GateId, GateResult, Outcome
from runtime import demotion
from runtime.alerts.book import raise_alert
from runtime.alerts.rules import AlertRule, Deviation
from runtime.demotion import DemotionCause
from runtime.freeze_rules import Scope
from runtime.gate.states import JudgementVerdict
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import suspend
from tests.standins.persons import START, Person
from tests.standins.proving import AGENT, DAY, Proving, policy_with
from tests.standins.towns import DORA, OLGA, ROSA, SVEN, set_freeze, stop_of
from tests.standins.workshop import PROFILE


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    ground = Proving(tmp_path)
    yield ground
    ground.close()


def gate(evidence: Evidence, wanted: GateId) -> GateResult:
    results = evaluate(evidence, approvals=None, now=evidence.at)
    return next(one for one in results if one.gate is wanted)


def drop(ground: Proving, cause: DemotionCause) -> None:
    ground.town.write(
        lambda tx: demotion.drop(tx, ground.digest, Tier.OBSERVE, cause, actor="test", now=tx.now)
    )


def test_two_good_weeks_pass_every_gate_but_those_that_need_people(ground: Proving) -> None:
    """R-32: a first promotion's whole evidence. The weekly review was never closed, nobody has asked yet."""
    for number in range(15):
        ground.day(*(f"m-{number}-{each}" for each in range(4)))
    ground.keep_reviews()
    ground.assess_all()
    assert ground.accept() == "rosa"
    found = ground.evidence()
    lacking = [one.gate for one in evaluate(found, approvals=None, now=found.at) if one.missing]
    assert lacking == [GateId.G6, GateId.G12, GateId.G13]
    assert (found.sample.agree, found.sample.days, found.sample.reviewers) == (60, 15, ("dora", "sven"))
    assert (found.dwell.since, found.dwell.active_days) == (START, 15)
    assert 14 * DAY.total_seconds() < found.dwell.observed_seconds < 15 * DAY.total_seconds()
    assert (found.agent, found.owner, found.risk, found.newest) == (AGENT, "olga", Risk.HIGH, True)
    assert found.digest == ground.evidence().digest


def test_nothing_done_is_no_data_everywhere(ground: Proving) -> None:
    """F18: a new deployment has shown nothing, and everything says so."""
    found = ground.evidence()
    for wanted in (GateId.G1, GateId.G2, GateId.G3, GateId.G4, GateId.G6, GateId.G7, GateId.G8, GateId.G9):
        assert gate(found, wanted).outcome is Outcome.NO_DATA, wanted
    assert found.assessment.blast_radius is None
    assert found.dwell.last_heartbeat is None


def test_a_harmful_verdict_fails_its_class_and_every_higher_one(ground: Proving) -> None:
    """R-44: one is enough; the class below is not averaged away either."""
    ground.work("m-1", "m-2")
    ground.desk.label("m-3")
    ground.desk.draw()
    (item,) = {one.id for one in ground.desk.items()} - ground._judged()
    ground.judge(item, DORA, JudgementVerdict.HARMFUL)
    assert gate(ground.evidence(Effect.DRAFT), GateId.G4).outcome is Outcome.FAIL
    assert ground.evidence(Effect.DRAFT).harmful_below == 0
    assert ground.evidence(Effect.SEND).harmful_below == 1
    assert gate(ground.evidence(Effect.SEND), GateId.G4).outcome is Outcome.FAIL


def test_an_expansion_restarts_the_dwell_and_keeps_what_was_judged(ground: Proving) -> None:
    """R-34: a week must be observed first; verdicts at the lower tier still count one tier up."""
    ground.day("m-1", "m-2")
    ground.grant(Effect.DRAFT)
    expanded = ground.town.now
    ground.watch(DAY)
    found = ground.evidence(Effect.UPDATE)
    assert found.dwell.since == found.dwell.last_expansion == expanded
    assert found.counted_since == START
    assert ground.evidence(Effect.DRAFT).sample.agree == 2
    assert any("since the last expansion" in line for line in gate(found, GateId.G1).missing)
    assert Effect.DRAFT in found.power.granted


def test_a_demotion_restarts_the_window_and_cools_down(ground: Proving) -> None:
    """F21: dwell and evidence begin anew, and for fourteen days nothing can be promoted."""
    ground.day("m-1", "m-2")
    ground.grant(Effect.DRAFT)
    ground.day("m-3")
    drop(ground, DemotionCause.PATTERN)
    demoted = ground.town.now
    found = ground.evidence()
    assert found.dwell.since == demoted
    assert found.dwell.cool_down_until == demoted + 14 * DAY
    assert gate(found, GateId.G1).outcome is not Outcome.PASS
    assert found.sample.agree == 0


def test_demotions_stay_in_the_record_whatever_becomes_of_the_rows(ground: Proving) -> None:
    """F21: with a database shell the grant's row can be deleted; the window and the cool-down stay."""
    ground.grant(Effect.DRAFT)
    ground.watch(DAY)
    drop(ground, DemotionCause.AGREEMENT)
    demoted = ground.town.now
    ground.watch(DAY)
    ground.town.tamper("DELETE FROM effect_grant WHERE effect = 'draft'")
    found = ground.evidence()
    assert (found.dwell.since, found.dwell.cool_down_until) == (demoted, demoted + 14 * DAY)


def test_a_grant_that_ran_out_ended_a_tier(ground: Proving) -> None:
    """Nobody reviewed, so power lapsed: re-entry takes the whole way, though nobody demoted anything."""
    asked = ground.grant(Effect.DRAFT, days=3)
    ground.watch(5 * DAY)
    found = ground.evidence()
    assert found.dwell.since == asked.valid_until
    assert found.dwell.cool_down_until is None


def test_being_replaced_is_no_demotion(ground: Proving) -> None:
    """R-40: the new one starts with nothing; the old one is not blamed."""
    ground.grant(Effect.DRAFT)
    ground.watch(DAY)
    old = ground.digest
    ground.digest = ground.deploy(PROFILE.replace("version: 1", "version: 2"))
    assert ground.evidence().sample.population == 0
    ground.digest = old
    found = ground.evidence()
    assert not found.newest
    assert found.dwell.cool_down_until is None
    assert gate(found, GateId.G8).outcome is Outcome.FAIL


def test_a_lower_threshold_does_not_count_for_a_window_that_has_begun(ground: Proving) -> None:
    """F25: two persons lower it just before the request; the strictest of the window counts."""
    strict = ground.evidence()
    assert strict.threshold is not None
    ground.town.later(days=1)
    lax = policy_with("thresholds", "draft", "agreement", value=0.8)
    ground.town.change(lax, OLGA, ROSA)
    assert ground.town.state.head.version == 2
    assert ground.town.state.head.policy.thresholds[Effect.DRAFT].agreement == 0.8
    assert ground.evidence().threshold == strict.threshold
    ground.grant(Effect.DRAFT)
    drop(ground, DemotionCause.PERSON)
    later = ground.evidence()
    assert later.threshold is not None
    assert later.threshold.agreement == 0.8
    assert ground.evidence(Effect.UPDATE).threshold is not None


def test_a_stricter_policy_counts_at_once(ground: Proving) -> None:
    """F25: the other way round there is nothing to wait for."""
    ground.town.later(days=1)
    strict = policy_with("thresholds", "draft", value={"agreement": 0.94, "observed_days": 20})
    ground.town.change(strict, OLGA, ROSA)
    found = ground.evidence().threshold
    assert found is not None
    assert (found.agreement, found.observed_days) == (0.94, 20)


def test_a_policy_version_that_was_changed_by_hand_stops_everything(ground: Proving) -> None:
    """F25: what was in force cannot be rewritten to have been laxer."""
    ground.town.later(days=1)
    ground.town.change(policy_with("thresholds", "draft", "agreement", value=0.92), OLGA, ROSA)
    ground.evidence()
    ground.town.tamper(
        "UPDATE policy_version SET text = replace(text, 'agreement: 0.9', 'agreement: 0.8') WHERE version = 1"
    )
    with pytest.raises(RolloutError, match="audit verify"):
        ground.evidence()


def test_alerts_freezes_and_suspensions_are_seen(ground: Proving) -> None:
    """F10: what is opened a moment before stands in the evidence of that moment."""
    ground.town.write(
        lambda tx: raise_alert(
            tx,
            Deviation(agent=AGENT, rule=AlertRule.OUT_OF_SCOPE, tool="send_mail", deployment=ground.digest),
            policy=ground.town.state.head.policy,
            now=tx.now,
        )
    )
    set_freeze(ground.town, stop_of(Scope.AGENT, AGENT, ground.town), SVEN)
    ground.town.write(
        lambda tx: suspend(
            tx,
            ground.digest,
            effect=None,
            code=SuspensionCode.UNEXPLAINED,
            subject="inc-1",
            reason="nobody can explain it",
            now=tx.now,
        )
    )
    found = ground.evidence()
    assert len(found.alerts.open_medium) == 1
    assert len(found.alerts.unacknowledged) == 1
    assert found.power.frozen == ("by sven: numbers look wrong",)
    assert found.power.suspended == ("unexplained (inc-1): nobody can explain it",)
    assert gate(found, GateId.G5).outcome is Outcome.FAIL
    assert gate(found, GateId.G13).outcome is Outcome.FAIL
    ground.town.later(days=2)
    assert len(ground.evidence().alerts.overdue) == 1


@pytest.mark.parametrize(
    ("taken", "stopped"),
    [
        (Effect.DRAFT, {Effect.DRAFT, Effect.UPDATE, Effect.SEND}),
        (Effect.SEND, {Effect.SEND}),
        (None, {Effect.DRAFT, Effect.UPDATE, Effect.SEND}),
    ],
)
def test_a_suspended_class_stops_itself_and_the_higher_ones(
    ground: Proving, taken: Effect | None, stopped: set[Effect]
) -> None:
    """R-44: a harmful mail fails the mails and all above; labels are judged by their own evidence."""
    ground.town.write(
        lambda tx: suspend(
            tx,
            ground.digest,
            effect=taken,
            code=SuspensionCode.HARMFUL,
            subject="sug-1",
            reason="somebody called it harmful",
            now=tx.now,
        )
    )
    classes = (Effect.DRAFT, Effect.UPDATE, Effect.SEND)
    assert {one for one in classes if ground.evidence(one).power.suspended} == stopped


def test_silence_earns_no_dwell(ground: Proving) -> None:
    """F14: watched for three days, of which the agent worked on one."""
    ground.day("m-1")
    ground.watch(3 * DAY)
    found = ground.evidence()
    assert found.dwell.active_days == 1
    assert found.dwell.observed_seconds <= DAY.total_seconds()


def test_drift_is_accepted_for_thirty_days_by_a_manager_who_is_not_the_owner(ground: Proving) -> None:
    """Issue 3: G7 below n = 100 passes only by a manager's signed text."""
    ground.day("m-1")
    assert gate(ground.evidence(), GateId.G7).outcome is Outcome.NO_DATA
    assert ground.accept(ROSA) == "rosa"
    accepted = ground.evidence()
    assert accepted.drift.accepted_by == "rosa"
    assert gate(accepted, GateId.G7).outcome is Outcome.PASS
    ground.town.later(days=30)
    assert ground.evidence().drift.accepted_by is None


@pytest.mark.parametrize("who", [DORA, SVEN, OLGA])
def test_others_accept_nothing(ground: Proving, who: Person) -> None:
    """G7: only a rollout manager, never the owner; an empty text is no text."""
    assert not isinstance(ground.accept(who), str)
    assert not isinstance(ground.accept(ROSA, reason="  "), str)
    assert ground.evidence().drift.accepted_by is None


def test_an_acceptance_whose_signer_left_counts_no_more(ground: Proving) -> None:
    """F6: looked up again at each use."""
    assert ground.accept(ROSA) == "rosa"
    ground.town.change(policy_with("roles", "rollout-manager", "groups", value=["nobody"]), OLGA, ROSA)
    assert ground.evidence().drift.accepted_by is None


def test_the_assessor_sees_what_collect_sees(ground: Proving) -> None:
    """Promotions ask it; a frozen sample is computed again from what the record held then."""
    ground.work("m-1", "m-2")
    sound = AuditState(100, 100, (), ground.town.now)
    assessor = Assessor(ground.town.book, lambda _: sound)
    now, seen = ground.town.now, ground.evidence()
    collected = ground.town.read(lambda conn: assessor.collect(conn, ground.digest, Effect.DRAFT, now=now))
    assert collected == replace(seen, at=now)
    entries = len(ground.town.kinds())
    ground.town.later(seconds=5)
    ground.work("m-3")
    again = ground.town.read(
        lambda conn: assessor.sample(
            conn, ground.digest, Effect.DRAFT, since=seen.dwell.since, before=entries
        )
    )
    assert again.digest == seen.sample.digest
    assert ground.evidence().sample.digest != seen.sample.digest
