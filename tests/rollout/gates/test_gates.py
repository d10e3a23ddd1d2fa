"""Each review gate by itself: what passes it, and everything that does not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from profiles.effects import Effect
from profiles.policy import Threshold
from profiles.risk import Risk
from rollout.evidence.model import (
    AlertState,
    Assessed,
    AssessmentKind,
    AuditState,
    Drift,
    Evidence,
    Parity,
    Power,
    ReviewState,
)
from rollout.gates.dwell import DECIDE, SILENCE
from rollout.gates.evaluate import evaluate, opens, overall
from rollout.gates.inputs import Approvals
from rollout.gates.model import GateId, GateResult, Outcome
from tests.standins.measured import DAY, NOW, YES, good_assessment, good_dwell, good_evidence, good_sample

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
CRITICAL = Threshold(agreement=0.98, observed_days=7, total_days=28)
AUDIT = good_evidence().audit
POWER = good_evidence().power
(PROVEN,) = good_assessment().parity


def parity(fault: str) -> Parity:
    """What is known where no proof counts."""
    return Parity("runsc", fault, f"the proof of context isolation is {fault}", "clerk:1")


def said(gate: GateId, evidence: Evidence | None = None, **given: Any) -> GateResult:
    """What one gate says."""
    words = {"approvals": YES, "now": NOW} | given
    results = evaluate(evidence or good_evidence(), **words)
    return next(one for one in results if one.gate is gate)


def test_good_evidence_passes_every_gate_and_opens() -> None:
    results = evaluate(good_evidence(), approvals=YES, now=NOW)
    assert {one.gate for one in results} == set(GateId)
    assert all(one.outcome is Outcome.PASS and not one.missing for one in results), results
    assert opens(results)
    assert overall(results) is Outcome.PASS


CASES: list[tuple[str, GateId, dict[str, Any], Outcome, str]] = [
    # G1
    ("F1: too little was observed", GateId.G1,
     {"dwell": good_dwell(observed_seconds=13 * 86400.0)}, Outcome.INCONCLUSIVE, "13d 0h of 14d observed"),
    ("F18: the monitor was never heard of", GateId.G1,
     {"dwell": good_dwell(last_heartbeat=None)}, Outcome.NO_DATA, "never heard of"),
    ("F18: the monitor is silent", GateId.G1,
     {"dwell": good_dwell(last_heartbeat=NOW - SILENCE - SECOND)}, Outcome.NO_DATA, "silent since"),
    ("the whole time at any tier is too short", GateId.G1,
     {"threshold": CRITICAL, "effect": Effect.CRITICAL}, Outcome.INCONCLUSIVE, "of 28d observed in total"),
    ("R-34: a second expansion within 7 observed days", GateId.G1,
     {"dwell": good_dwell(last_expansion=NOW - 9 * DAY, since_expansion_seconds=6.9 * 86400)},
     Outcome.INCONCLUSIVE, "of 7d observed since the last expansion"),
    ("F21: the cool-down after a demotion", GateId.G1,
     {"dwell": good_dwell(cool_down_until=NOW + 2 * DAY)}, Outcome.FAIL, "cool-down"),
    ("the policy says nothing of the class", GateId.G1, {"threshold": None}, Outcome.NO_DATA, "no threshold"),
    # G2
    ("nothing was suggested", GateId.G2,
     {"sample": good_sample(population=0, drawn=0, agree=0, days=0)}, Outcome.NO_DATA, "silence is no"),
    ("nothing was drawn", GateId.G2,
     {"sample": good_sample(drawn=0, agree=0, days=0)}, Outcome.NO_DATA, "nothing was drawn"),
    ("F14: the hard ones were left out", GateId.G2,
     {"sample": good_sample(unjudged=2)}, Outcome.INCONCLUSIVE, "2 drawn items lack a verdict"),
    ("F15: too few", GateId.G2,
     {"sample": good_sample(agree=32)}, Outcome.INCONCLUSIVE, "32 of at least 33"),
    ("F14: all on one day", GateId.G2, {"sample": good_sample(days=1)}, Outcome.INCONCLUSIVE, "1 distinct"),
    # G3
    ("nothing judged", GateId.G3, {"sample": good_sample(agree=0)}, Outcome.NO_DATA, "nothing was judged"),
    ("E below 20", GateId.G3, {"sample": good_sample(agree=32)}, Outcome.INCONCLUSIVE, "1 more judged"),
    ("a miss costs", GateId.G3,
     {"sample": good_sample(agree=39, miss=1)}, Outcome.INCONCLUSIVE, "35 more judged"),
    ("surely below the limit", GateId.G3,
     {"sample": good_sample(agree=20, miss=20)}, Outcome.FAIL, "below 90%"),
    # G4
    ("R-44: one harmful among very many", GateId.G4,
     {"sample": good_sample(agree=99_999, miss=1, harmful=1)}, Outcome.FAIL, "never averaged away"),
    ("harmful in a lower class", GateId.G4, {"harmful_below": 1}, Outcome.FAIL, "in a lower class"),
    ("nothing judged, so nothing harmless", GateId.G4,
     {"sample": good_sample(agree=0)}, Outcome.NO_DATA, "nothing was judged"),
    # G5
    ("F10: an open alert", GateId.G5, {"alerts": AlertState(("alr-1",), (), ())}, Outcome.FAIL, "alr-1"),
    ("R-27: nobody looked in time", GateId.G5,
     {"alerts": AlertState((), ("alr-2",), ())}, Outcome.FAIL, "in time: alr-2"),
    ("F26: leadership has not answered", GateId.G5,
     {"alerts": AlertState((), (), ("inc-8",))}, Outcome.FAIL, "acknowledgement: inc-8"),
    # G6
    ("a review is overdue", GateId.G6,
     {"reviews": ReviewState(("rev-1",), NOW + DAY, NOW + DAY)}, Outcome.FAIL, "overdue review: rev-1"),
    ("R-85: no review is owed at all", GateId.G6,
     {"reviews": ReviewState((), None, NOW + DAY)}, Outcome.NO_DATA, "no review is owed"),
    ("the review is due now", GateId.G6,
     {"reviews": ReviewState((), NOW, NOW + DAY)}, Outcome.FAIL, "due already"),
    # G7
    ("too few actions to compare", GateId.G7, {"drift": Drift(99, None)}, Outcome.NO_DATA, "fewer than 100"),
    ("enough actions, but no baseline", GateId.G7, {"drift": Drift(500, None)}, Outcome.NO_DATA, "baseline"),
    # G8
    ("a newer deployment", GateId.G8, {"newest": False}, Outcome.FAIL, "newer deployment"),
    ("R-42: the quarterly review is overdue", GateId.G8,
     {"reviews": ReviewState((), NOW + DAY, NOW)}, Outcome.FAIL, "R-42"),
    ("its review was never planned", GateId.G8,
     {"reviews": ReviewState((), NOW + DAY, None)}, Outcome.NO_DATA, "was ever planned"),
    ("F13: the profile changed mid-dwell", GateId.G8,
     {"profile_since": NOW - DAY}, Outcome.INCONCLUSIVE, "has changed since"),
    # G9
    ("nobody signed the blast radius", GateId.G9,
     {"assessment": good_assessment(blast_radius=None)}, Outcome.NO_DATA, "blast radius"),
    ("R-28: the agent can reach more than was signed", GateId.G9,
     {"assessment": good_assessment(blast_radius="ff" * 32)}, Outcome.FAIL, "not what the profile permits"),
    ("R-30: a missing verdict is no data", GateId.G9,
     {"assessment": good_assessment(judged={})}, Outcome.NO_DATA, "no verdict on out-of-distribution"),
    ("R-20: no proof of context isolation is known", GateId.G9,
     {"assessment": good_assessment(parity=())}, Outcome.NO_DATA, "nothing is known of its context"),
    ("R-20: the proof failed", GateId.G9,
     {"assessment": good_assessment(parity=(PROVEN, parity("failed")))}, Outcome.FAIL, "context verify"),
    ("R-20: there is none under one of the runtimes", GateId.G9,
     {"assessment": good_assessment(parity=(PROVEN, parity("missing")))}, Outcome.NO_DATA, "--runtime runsc"),
    ("R-20: it is too old", GateId.G9,
     {"assessment": good_assessment(parity=(parity("stale"),))}, Outcome.NO_DATA, "context verify"),
    ("R-20: it is about another version of the code", GateId.G9,
     {"assessment": good_assessment(parity=(parity("other code"),))}, Outcome.NO_DATA, "context verify"),
    ("R-29: the red team said no", GateId.G9,
     {"assessment": good_assessment(judged=dict(good_assessment().judged)
      | {AssessmentKind.GOAL_CONFLICT: Assessed(False, "sven", NOW)})},  # noqa: FBT003 - the verdict
     Outcome.FAIL, "goal-conflict failed, says sven"),
    # G10
    ("never verified", GateId.G10,
     {"audit": replace(AUDIT, verified_at=None)}, Outcome.NO_DATA, "never verified"),
    ("verified long ago", GateId.G10,
     {"audit": replace(AUDIT, verified_at=NOW - 25 * HOUR)}, Outcome.INCONCLUSIVE, "for a day"),
    ("F22: the record is not what it was", GateId.G10,
     {"audit": replace(AUDIT, faults=("rolled back",))}, Outcome.FAIL, "rolled back"),
    ("nothing outside vouches for the record", GateId.G10,
     {"audit": AuditState(900, 0, (), NOW)}, Outcome.FAIL, "anchored"),
    # G13
    ("frozen", GateId.G13,
     {"power": replace(POWER, frozen=("by sven until noon",))}, Outcome.FAIL, "frozen: by sven"),
    ("suspended", GateId.G13,
     {"power": replace(POWER, suspended=("alert overdue",))}, Outcome.FAIL, "suspended: alert overdue"),
    ("R-33: a lower class first", GateId.G13, {"effect": Effect.SEND}, Outcome.FAIL, "draft comes first"),
    ("granted already", GateId.G13,
     {"power": replace(POWER, granted=(Effect.READ, Effect.DRAFT))}, Outcome.FAIL, "granted already"),
    ("a class that the profile does not use", GateId.G13,
     {"effect": Effect.UPDATE, "power": replace(POWER, granted=(Effect.READ, Effect.DRAFT))},
     Outcome.FAIL, "does not use update"),
    ("not even read", GateId.G13, {"power": replace(POWER, granted=())}, Outcome.FAIL, "not even read"),
    ("read is no promotion", GateId.G13, {"effect": Effect.READ}, Outcome.FAIL, "nothing to promote"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "changes", "outcome", "words"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_a_gate_says_what_is_missing(
    gate: GateId, changes: dict[str, Any], outcome: Outcome, words: str
) -> None:
    """F1, F10, F13-F15, F18, F21, F22, F26, R-27 to R-30, R-33, R-34, R-42, R-44, R-85: see the table."""
    evidence = good_evidence(**changes)
    result = said(gate, evidence)
    assert result.outcome is outcome, result
    assert words in "; ".join(result.missing)
    assert not opens(evaluate(evidence, approvals=YES, now=NOW))


def test_the_earliest_moment_is_told_where_it_can_be() -> None:
    """Issue 3: "the earliest moment it can pass": the rest of the dwell, the cool-down, the days."""
    short = said(GateId.G1, good_evidence(dwell=good_dwell(observed_seconds=13 * 86400.0)))
    assert short.earliest == NOW + DAY
    cooling = good_dwell(observed_seconds=13 * 86400.0, cool_down_until=NOW + 5 * DAY)
    assert said(GateId.G1, good_evidence(dwell=cooling)).earliest == NOW + 5 * DAY
    assert said(GateId.G2, good_evidence(sample=good_sample(days=4))).earliest == NOW + 6 * DAY
    assert said(GateId.G2, good_evidence(sample=good_sample(days=4, unjudged=1))).earliest is None


@pytest.mark.parametrize("gate", [GateId.G1, GateId.G2, GateId.G3])
def test_day_28_forces_a_human_and_never_passes(gate: GateId) -> None:
    """F15, R-32: at day 28 with too little, three ways out are named, and the answer stays inconclusive."""
    dwell = good_dwell(since=NOW - 28 * DAY, observed_seconds=5 * 86400.0)
    late = good_evidence(sample=good_sample(agree=20, days=5), dwell=dwell, profile_since=NOW - 28 * DAY)
    result = said(gate, late)
    assert result.outcome is Outcome.INCONCLUSIVE
    assert result.missing[-1] == f"day 28 of 28: {DECIDE}"
    before = good_evidence(sample=good_sample(agree=20, days=5), dwell=replace(dwell, since=NOW - 27 * DAY))
    assert not any(DECIDE in line for line in said(gate, before).missing)


# --- exceptions


SHORT = good_dwell(since=NOW - HOUR, observed_seconds=600.0, total_observed_seconds=600.0)


def test_a_signed_exception_shortens_the_dwell_and_the_days() -> None:
    """R-32: shorter needs a recorded exception; the result says so, and who signed."""
    evidence = good_evidence(
        dwell=SHORT, sample=good_sample(days=1), profile_since=NOW - HOUR, counted_since=NOW - HOUR
    )
    results = evaluate(
        evidence,
        approvals=YES,
        exceptions={GateId.G1: ("rosa", "sven"), GateId.G2: ("rosa", "sven")},
        now=NOW,
    )
    assert opens(results)
    assert [one.gate for one in results if one.excepted] == [GateId.G1, GateId.G2]
    assert results[0].there.endswith("exception by rosa, sven")


def test_an_exception_that_is_not_needed_is_not_used() -> None:
    results = evaluate(good_evidence(), approvals=YES, exceptions={GateId.G1: ("rosa", "sven")}, now=NOW)
    assert not any(one.excepted for one in results)


@pytest.mark.parametrize(
    "changes", [{"risk": Risk.CRITICAL}, {"effect": Effect.CRITICAL, "threshold": CRITICAL}]
)
def test_nothing_critical_has_an_exception(changes: dict[str, Any]) -> None:
    """R-32: impossible for Critical."""
    signed = {GateId.G1: ("rosa", "sven"), GateId.G2: ("rosa", "sven")}
    evidence = good_evidence(dwell=SHORT, sample=good_sample(days=1), **changes)
    assert said(GateId.G1, evidence, exceptions=signed).outcome is Outcome.INCONCLUSIVE
    assert said(GateId.G2, evidence, exceptions=signed).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("signers", [(), ("rosa",), ("rosa", "rosa")])
def test_one_person_excepts_nothing(signers: tuple[str, ...]) -> None:
    evidence = good_evidence(dwell=SHORT)
    assert said(GateId.G1, evidence, exceptions={GateId.G1: signers}).outcome is Outcome.INCONCLUSIVE


def test_an_exception_excuses_neither_silence_nor_the_cool_down_nor_the_week_between() -> None:
    """F18, F21, R-34: only how long it was observed at this tier."""
    signed = {GateId.G1: ("rosa", "sven")}
    for dwell in (
        replace(SHORT, last_heartbeat=None),
        replace(SHORT, cool_down_until=NOW + DAY),
        replace(SHORT, since_expansion_seconds=86400.0),
    ):
        assert said(GateId.G1, good_evidence(dwell=dwell), exceptions=signed).outcome is not Outcome.PASS


def test_no_other_gate_can_be_excepted() -> None:
    """Issue 3: dwell and distinct days only; too few, unjudged or harmful items stay what they are."""
    everything = dict.fromkeys(GateId, ("rosa", "sven"))
    bad = good_evidence(
        sample=good_sample(agree=20, miss=2, harmful=1, unjudged=1, days=2),
        alerts=AlertState(("a",), ("a",), ("i",)),
        reviews=ReviewState(("r",), None, None),
        drift=Drift(5, None),
        assessment=good_assessment(blast_radius=None),
        audit=replace(AUDIT, faults=("changed",)),
        power=replace(POWER, frozen=("all",)),
    )
    results = evaluate(bad, approvals=None, exceptions=everything, now=NOW)
    assert [one.gate for one in results if one.outcome is Outcome.PASS] == [GateId.G1]


# --- approvals


@pytest.mark.parametrize(
    ("approvals", "outcome", "words"),
    [
        (None, Outcome.NO_DATA, "nobody has asked"),
        (Approvals(), Outcome.INCONCLUSIVE, "lacks an approval"),
        (Approvals(missing=()), Outcome.NO_DATA, "nobody approved"),
        (replace(YES, missing=("a person with the role security",)), Outcome.INCONCLUSIVE, "role security"),
        (replace(YES, oldest=None), Outcome.NO_DATA, "nobody knows when"),
        (replace(YES, oldest=NOW - 72 * HOUR - timedelta(seconds=1)), Outcome.FAIL, "older than 72"),
        (replace(YES, persons=("olga",)), Outcome.FAIL, "olga may not approve"),
    ],
)
def test_approvals_are_enough_fresh_and_of_others(
    approvals: Approvals | None, outcome: Outcome, words: str
) -> None:
    """G12: at most 72 hours old, never the owner's; none is never enough."""
    result = said(GateId.G12, approvals=approvals)
    assert result.outcome is outcome
    assert words in "; ".join(result.missing)


def test_the_only_reviewer_of_the_evidence_does_not_approve_it() -> None:
    """Issue 3: never the sole reviewer; one of several may."""
    alone = good_evidence(sample=good_sample(reviewers=("rosa",)))
    assert said(GateId.G12, alone).outcome is Outcome.FAIL
    assert (
        said(GateId.G12, good_evidence(sample=good_sample(reviewers=("rosa", "dora")))).outcome
        is Outcome.PASS
    )


def test_the_policy_can_make_approvals_age_faster_and_never_slower() -> None:
    late = replace(YES, oldest=NOW - 30 * HOUR)
    assert said(GateId.G12, good_evidence(approval_hours=24), approvals=late).outcome is Outcome.FAIL
    older = replace(YES, oldest=NOW - 80 * HOUR)
    assert said(GateId.G12, good_evidence(approval_hours=1000), approvals=older).outcome is Outcome.FAIL


# --- all together


def test_evidence_of_another_moment_is_not_evaluated() -> None:
    """F10: what was collected before proves nothing about now."""
    with pytest.raises(ValueError, match="collect afresh"):
        evaluate(good_evidence(), approvals=YES, now=NOW + timedelta(seconds=1))


def test_a_gate_that_says_nothing_does_not_open() -> None:
    results = evaluate(good_evidence(), approvals=YES, now=NOW)
    assert not opens(results[:-1])
    assert not opens(())
    assert overall(()) is Outcome.NO_DATA


def test_one_failing_gate_is_the_overall_answer() -> None:
    results = evaluate(good_evidence(harmful_below=1), approvals=None, now=NOW)
    assert overall(results) is Outcome.FAIL
    assert overall(results, without={GateId.G4}) is Outcome.NO_DATA
    assert overall(results, without={GateId.G4, GateId.G12}) is Outcome.PASS


def test_power_lists_what_is_granted() -> None:
    power = Power((Effect.DRAFT, Effect.READ), (Effect.READ, Effect.DRAFT, Effect.SEND), (), ())
    assert said(GateId.G13, good_evidence(effect=Effect.SEND, power=power)).there == "granted: read, draft"
