"""The evidence of one class as a packet tells it. Pure."""

from collections.abc import Collection, Iterator

from rollout.evidence.model import Evidence
from rollout.gates.model import GateId, GateResult, Outcome
from rollout.reviews.packet.model import ClassEvidence
from rollout.statistics import e_value, lower_bound, upper_bound


def class_evidence(found: Evidence, results: Collection[GateResult]) -> ClassEvidence:
    """Return the class's numbers, and which review gates do not pass.

    Args:
        found: what is known about the class.
        results: what the gates say of it; a class that is granted already has no blockers.
    """
    sample, threshold = found.sample, found.threshold
    judged = sample.agree + sample.miss
    limit = None if threshold is None else threshold.agreement
    granted = found.effect in found.power.granted
    return ClassEvidence(
        effect=found.effect,
        population=sample.population,
        drawn=sample.drawn,
        unjudged=sample.unjudged,
        agree=sample.agree,
        miss=sample.miss,
        harmful=sample.harmful,
        e_value=None if limit is None or not judged else f"{e_value(sample.agree, sample.miss, limit):.4g}",
        limit=None if limit is None else str(limit),
        lower=f"{lower_bound(sample.agree, judged):.4f}" if judged else None,
        harmful_upper=f"{upper_bound(0, judged):.1%}" if judged and not sample.harmful else None,
        blockers=() if granted else tuple(_closed(results)),
    )


def _closed(results: Collection[GateResult]) -> Iterator[GateId]:
    """Yield the gates that do not pass; nobody has asked for approvals yet, so G12 is none of them."""
    for one in results:
        if one.outcome is not Outcome.PASS and one.gate is not GateId.G12:
            yield one.gate
