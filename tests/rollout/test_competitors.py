"""Four failures of the nearest competitor's rollout, one named test each (issue 3, the rollout notes)."""

import inspect
import json
from dataclasses import replace

import pytest

from profiles.effects import Effect
from profiles.policy import Threshold
from rollout.gates.evaluate import evaluate, opens
from rollout.gates.inputs import Approvals
from rollout.gates.model import GateId, Outcome
from runtime.people.roster import Refused, Verified, about, recheck
from runtime.people.statement import SignedStatement
from tests.standins.measured import NOW, YES, good_evidence, good_sample
from tests.standins.persons import Town
from tests.standins.towns import ROSA, order


def test_a_failed_analysis_does_not_advance() -> None:
    """There `advance()` succeeds after a failed analysis; here failed, inconclusive and unknown all stop."""
    failing = good_evidence(sample=good_sample(agree=20, miss=20))
    inconclusive = good_evidence(sample=good_sample(agree=38, miss=2))
    unknown = good_evidence(sample=good_sample(agree=0, miss=0))
    outcomes = []
    for evidence in (failing, inconclusive, unknown):
        results = evaluate(evidence, approvals=YES, now=NOW)
        outcomes.append(next(one.outcome for one in results if one.gate is GateId.G3))
        assert not opens(results)
    assert outcomes == [Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NO_DATA]


def test_zero_samples_are_not_ready() -> None:
    """There zero samples are "ready for production"; here they are no data, however long it was observed."""
    silent = good_sample(population=0, drawn=0, agree=0, miss=0, days=0, reviewers=())
    results = evaluate(good_evidence(sample=silent), approvals=YES, now=NOW)
    said = {one.gate: one.outcome for one in results}
    assert (said[GateId.G2], said[GateId.G3], said[GateId.G4]) == (Outcome.NO_DATA,) * 3
    assert not opens(results)


def test_a_caller_cannot_bring_thresholds() -> None:
    """There the caller sets them to zero. Here no argument takes one: they come with the evidence, from the
    policy, and evidence with lower ones is other evidence, which nobody has signed for.
    """
    assert list(inspect.signature(evaluate).parameters) == ["evidence", "approvals", "exceptions", "now"]
    strict = good_evidence(threshold=Threshold(agreement=0.98, observed_days=14))
    lax = replace(strict, threshold=Threshold(agreement=0.8, observed_days=7))
    assert not opens(evaluate(strict, approvals=YES, now=NOW))
    assert strict.digest != lax.digest


@pytest.mark.parametrize(
    "edit",
    [
        {"person": "sven"},
        {"subject": "grant-other"},
        {"digest": "ff" * 32},
        {"body": {"effect": "critical"}},
        {"body": {"basis": "00" * 32}},
        {"at": "2026-12-21T09:00:00.000000Z"},
    ],
)
def test_an_edited_approval_does_not_verify(staffed: Town, edit: dict[str, object]) -> None:
    """There an approval still verifies after its approver was changed; here each field is signed (F8, F9)."""
    asked = replace(order(staffed, Effect.DRAFT), basis=good_evidence().digest)
    signed = staffed.signed(ROSA, asked.matter())
    roster = staffed.state.roster
    whole = recheck(signed, roster)
    assert isinstance(whole, Verified)
    assert about(whole, asked.matter()) is None
    said = json.loads(signed.body)
    body = edit.get("body", {})
    assert isinstance(body, dict)
    changed = said | edit | {"body": said["body"] | body}
    edited = json.dumps(changed, sort_keys=True, separators=(",", ":")).encode()
    assert edited != signed.body
    assert isinstance(recheck(SignedStatement(edited, signed.signature), roster), Refused)


def test_an_approval_of_other_evidence_is_no_approval(staffed: Town) -> None:
    """F8: one number of the evidence more, and what was signed is about something else."""
    signed_for = good_evidence()
    now_there = replace(signed_for, sample=good_sample(agree=41))
    asked = replace(order(staffed, Effect.DRAFT), basis=signed_for.digest)
    said = recheck(staffed.signed(ROSA, asked.matter()), staffed.state.roster)
    assert isinstance(said, Verified)
    assert about(said, replace(asked, basis=now_there.digest).matter()) is not None
    for approvals in (None, Approvals()):
        assert not opens(evaluate(now_there, approvals=approvals, now=NOW))
