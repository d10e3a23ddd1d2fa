"""G12 and G13: the approvals of people, and whether anything stops the agent or a lower class is missing."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from profiles.effects import Effect
from rollout.evidence.model import Evidence
from rollout.gates.inputs import Approvals
from rollout.gates.model import GateId, GateResult
from rollout.gates.outcomes import Missing, answer, failed, unknown, waiting


def g12_approvals(evidence: Evidence, approvals: Approvals | None, *, now: datetime) -> GateResult:
    """Did enough people say yes to exactly this evidence, not too long ago?"""
    if approvals is None:
        step = f"handrail promote request {evidence.agent} {evidence.effect.value} --reason TEXT"
        return answer(GateId.G12, "no request", [unknown(f"nobody has asked for it: {step}")])
    found = [
        *(waiting(f"lacks {one}") for one in approvals.missing),
        _nobody(approvals),
        _barred(evidence, approvals),
        _too_old(evidence, approvals, now),
    ]
    said = ", ".join(approvals.persons) or "nobody"
    return answer(GateId.G12, f"approved by {said}", found)


def g13_power(evidence: Evidence) -> GateResult:
    """Is nothing stopped, and is every lower class that the profile uses granted already (R-33)?"""
    power = evidence.power
    found = [
        *(failed(f"frozen: {why}") for why in power.frozen),
        *(failed(f"suspended: {why}") for why in power.suspended),
        *_ladder(evidence),
    ]
    granted = ", ".join(effect.value for effect in Effect if effect in power.granted) or "nothing"
    return answer(GateId.G13, f"granted: {granted}", found)


def _nobody(approvals: Approvals) -> Missing | None:
    """No approver is never enough, whatever is said to be missing."""
    if approvals.persons or approvals.missing:
        return None
    return unknown("nobody approved")


def _barred(evidence: Evidence, approvals: Approvals) -> Missing | None:
    """The owner never counts, nor does the only reviewer of the evidence."""
    only = evidence.sample.reviewers if len(set(evidence.sample.reviewers)) == 1 else ()
    barred = sorted({evidence.owner, *only} & set(approvals.persons))
    if not barred:
        return None
    return failed(f"{', '.join(barred)} may not approve: owner, or the only reviewer of the evidence")


def _too_old(evidence: Evidence, approvals: Approvals, now: datetime) -> Missing | None:
    if not approvals.persons:
        return None
    if approvals.oldest is None:
        return unknown("nobody knows when it was approved")
    hours = min(evidence.approval_hours, 72)
    if now - approvals.oldest <= timedelta(hours=hours):
        return None
    return failed(f"an approval is older than {hours} hours")


def _ladder(evidence: Evidence) -> Iterator[Missing]:
    power, wanted = evidence.power, evidence.effect
    if wanted is Effect.READ:
        yield failed("read comes with the deployment: there is nothing to promote")
    if Effect.READ not in power.granted:
        yield failed("not even read is granted: every action is denied")
    if wanted in power.granted:
        yield failed(f"{wanted.value} is granted already")
    if wanted not in power.used:
        yield failed(f"the profile does not use {wanted.value}")
    lower = (one for one in Effect if one.tier < wanted.tier and one in power.used and one is not Effect.READ)
    for one in lower:
        if one not in power.granted:
            yield failed(f"{one.value} comes first: the lowest risk is granted first (R-33)")
