"""G9 and G10: what all else rests on: the assessment of this very deployment, and a record that is whole."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from rollout.evidence.model import Assessment, AssessmentKind, Evidence, Parity
from rollout.gates.model import GateId, GateResult
from rollout.gates.outcomes import Missing, answer, failed, unknown, waiting
from runtime.context.proofs import ProofFault
from runtime.moments import utc_text

VERIFIED_WITHIN: Final = timedelta(hours=24)
"""How old the last verification of the record may be."""


def g9_assessment(evidence: Evidence) -> GateResult:
    """Was this deployment assessed: what it can reach, goal conflict, the unusual, several steps, parity?"""
    assessment = evidence.assessment
    judged = [_judged(assessment, kind) for kind in AssessmentKind]
    found = [_blast_radius(assessment), *judged, *_parity(assessment.parity)]
    return answer(GateId.G9, "; ".join(_there(assessment)), found)


def g10_record(evidence: Evidence, *, now: datetime) -> GateResult:
    """Is the record whole, up to a checkpoint that a second sink holds?"""
    audit = evidence.audit
    found = [
        _faults(audit.faults),
        None if audit.anchored else failed("no entry is under an anchored checkpoint"),
        _verified(audit.verified_at, now),
    ]
    there = f"{audit.size} entries, anchored to {audit.anchored}"
    if audit.verified_at is not None:
        there += f", verified at {utc_text(audit.verified_at)}"
    return answer(GateId.G10, there, found)


def _there(assessment: Assessment) -> Iterator[str]:
    radius = assessment.blast_radius
    yield "blast radius " + ("not signed" if radius is None else f"signed for {radius[:12]}")
    for kind in AssessmentKind:
        one = assessment.judged.get(kind)
        yield f"{kind.value} " + ("not available" if one is None else f"by {one.person}")
    for proof in assessment.parity:
        yield proof.detail
    if not assessment.parity:
        yield "parity not available"


def _blast_radius(assessment: Assessment) -> Missing | None:
    """What was signed must be what the profile lets the agent reach now (R-28)."""
    if assessment.blast_radius is None:
        return unknown("nobody has signed what the agent can reach (blast radius)")
    if assessment.blast_radius != assessment.capabilities:
        return failed("the signed blast radius is not what the profile permits")
    return None


def _judged(assessment: Assessment, kind: AssessmentKind) -> Missing | None:
    one = assessment.judged.get(kind)
    if one is None:
        return unknown(f"no verdict on {kind.value}")
    return None if one.passed else failed(f"{kind.value} failed, says {one.person}")


def _parity(proofs: tuple[Parity, ...]) -> Iterator[Missing | None]:
    """A proof that failed speaks against it; one that is missing or of something else says nothing (R-20)."""
    if not proofs:
        yield unknown("nothing is known of its context isolation")
    for proof in proofs:
        command = f"handrail context verify --image {proof.image} --runtime {proof.runtime}"
        said = f"{proof.detail}; run `{command}`"
        if proof.fault is None:
            yield None
        else:
            yield failed(said) if proof.fault == ProofFault.FAILED.value else unknown(said)


def _faults(faults: tuple[str, ...]) -> Missing | None:
    if not faults:
        return None
    return failed(
        f"verifying found {len(faults)} faults, the first: {faults[0]}; run `handrail audit verify`"
    )


def _verified(at: datetime | None, now: datetime) -> Missing | None:
    if at is None:
        return unknown("the record was never verified")
    return waiting("the record was not verified for a day") if now - at > VERIFIED_WITHIN else None
