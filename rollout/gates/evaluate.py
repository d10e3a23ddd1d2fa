"""All review gates over one piece of evidence. Pure: no row, no clock, no threshold of the caller's.

Every threshold comes with the evidence, which has it from the policy. A caller can hand in the words of
people, and nothing that makes a gate easier: exceptions are honoured where the rules permit one at all.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType

from rollout.evidence.model import Evidence
from rollout.gates.basis import g9_assessment, g10_record
from rollout.gates.dwell import g1_dwell
from rollout.gates.inputs import Approvals, Exceptions
from rollout.gates.model import GateId, GateResult, Outcome
from rollout.gates.sample import g2_sample, g3_agreement, g4_harmless
from rollout.gates.standing import g5_alerts, g6_reviews, g7_drift, g8_profile
from rollout.gates.words import g12_approvals, g13_power

NO_EXCEPTIONS: Mapping[GateId, tuple[str, ...]] = MappingProxyType({})


def evaluate(
    evidence: Evidence,
    *,
    approvals: Approvals | None,
    exceptions: Exceptions = NO_EXCEPTIONS,
    now: datetime,
) -> tuple[GateResult, ...]:
    """Return what every review gate says, in their order.

    Args:
        evidence: of one deployment and one class, collected at `now`.
        approvals: the verified yes of people to it; None where nobody has asked yet.
        exceptions: by gate, who signed for a shorter observation.
        now: the present moment.

    Raises:
        ValueError: the evidence was collected at another moment: an old piece proves nothing about now.
    """
    if evidence.at != now:
        raise ValueError(
            f"evidence of {evidence.at.isoformat()} evaluated at {now.isoformat()}: collect afresh"
        )
    return (
        g1_dwell(evidence, exceptions, now=now),
        g2_sample(evidence, exceptions, now=now),
        g3_agreement(evidence, now=now),
        g4_harmless(evidence),
        g5_alerts(evidence),
        g6_reviews(evidence, now=now),
        g7_drift(evidence),
        g8_profile(evidence, now=now),
        g9_assessment(evidence),
        g10_record(evidence, now=now),
        g12_approvals(evidence, approvals, now=now),
        g13_power(evidence),
    )


def opens(results: Collection[GateResult]) -> bool:
    """Whether a promotion may go on: every gate there is says pass; a gate that says nothing does not."""
    return {one.gate for one in results if one.outcome is Outcome.PASS} == set(GateId)


def overall(results: Collection[GateResult], *, without: Collection[GateId] = ()) -> Outcome:
    """Return the worst answer of all, `without` some; none at all is no data."""
    said = {one.outcome for one in results if one.gate not in without}
    order = (Outcome.FAIL, Outcome.NO_DATA, Outcome.INCONCLUSIVE, Outcome.PASS)
    return next((outcome for outcome in order if outcome in said), Outcome.NO_DATA)
