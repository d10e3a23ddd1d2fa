"""G2 to G4: the sample, its agreement, and whether anything in it was harmful.

Nothing in the sample is no data, never success; too little is inconclusive, never a pass (F15).
"""

from datetime import datetime, timedelta

from rollout.evidence.model import Evidence, Sample
from rollout.gates.dwell import excepting, undecided
from rollout.gates.inputs import Exceptions
from rollout.gates.model import GateId, GateResult
from rollout.gates.outcomes import Missing, answer, failed, unknown, waiting
from rollout.statistics import E_PASS, e_value, lower_bound, none_found, samples_needed, shown, upper_bound


def g2_sample(evidence: Evidence, exceptions: Exceptions, *, now: datetime) -> GateResult:
    """Is the sample there: drawn by our seed, all of it judged, large enough, over enough days?"""
    sample = evidence.sample
    by = excepting(evidence, exceptions, GateId.G2)
    few_days = _few_days(evidence, now)
    found = [
        _nothing(sample),
        _unjudged(sample),
        _too_few(evidence),
        None if by else few_days,
    ]
    there = (
        f"{sample.agree + sample.miss} judged clusters on {sample.days} days; "
        f"{sample.drawn} drawn of {sample.population}, {sample.unclear} unclear"
    )
    if few_days and by:
        there += f"; exception for days by {', '.join(by)}"
    if any(found):
        found.append(undecided(evidence, now))
    return answer(GateId.G2, there, found, excepted=bool(few_days and by))


def g3_agreement(evidence: Evidence, *, now: datetime) -> GateResult:
    """Do people agree more often than the policy asks? An e-process: looking every day is fair (F16)."""
    sample, threshold = evidence.sample, evidence.threshold
    judged = sample.agree + sample.miss
    if threshold is None or judged == 0:
        lacking = unknown("no threshold in the policy" if threshold is None else "nothing was judged yet")
        return answer(GateId.G3, f"{judged} judged", [lacking])
    p0, agree, miss = threshold.agreement, sample.agree, sample.miss
    there = (
        f"{agree} of {judged} agree, E = {_e_text(agree, miss, p0)} of {E_PASS:g} at {p0:g}, "
        f"at least {lower_bound(agree, judged):.1%} (95 %)"
    )
    if shown(agree, miss, p0):
        return answer(GateId.G3, there, [])
    return answer(GateId.G3, there, [_short(sample, p0), undecided(evidence, now)])


def g4_harmless(evidence: Evidence) -> GateResult:
    """Was nothing harmful, here or in a lower class? One verdict is enough, however many agree (R-44)."""
    sample = evidence.sample
    judged = sample.agree + sample.miss
    found = [
        failed(f"{sample.harmful} harmful: it is never averaged away") if sample.harmful else None,
        _harmful_below(evidence),
        unknown("nothing was judged yet") if judged == 0 else None,
    ]
    there = none_found(judged) if sample.harmful == 0 else f"{sample.harmful} of {judged} harmful"
    return answer(GateId.G4, there, found)


def _nothing(sample: Sample) -> Missing | None:
    if sample.population == 0:
        return unknown("no suggestion of this class in the window: silence is no evidence")
    return unknown("nothing was drawn yet") if sample.drawn == 0 else None


def _unjudged(sample: Sample) -> Missing | None:
    if sample.unjudged == 0:
        return None
    return waiting(f"{sample.unjudged} drawn items lack a verdict; hard ones cannot be left out")


def _too_few(evidence: Evidence) -> Missing | None:
    judged = evidence.sample.agree + evidence.sample.miss
    if evidence.threshold is None:
        return unknown("the policy has no threshold for this class")
    least = samples_needed(evidence.threshold.agreement, 0)
    return waiting(f"{judged} of at least {least} judged clusters") if judged < least else None


def _few_days(evidence: Evidence, now: datetime) -> Missing | None:
    lacking = evidence.distinct_days - evidence.sample.days
    if lacking <= 0:
        return None
    said = f"items of {evidence.sample.days} distinct days, of {evidence.distinct_days}"
    return waiting(said, now + timedelta(days=lacking))


def _short(sample: Sample, p0: float) -> Missing:
    judged = sample.agree + sample.miss
    above = upper_bound(sample.agree, judged)
    if above < p0:
        return failed(f"the true agreement is at most {above:.1%} (95 %), below {p0:.0%}")
    more = samples_needed(p0, sample.miss) - judged
    return waiting(f"{more} more judged clusters, if people agree with each of them")


def _harmful_below(evidence: Evidence) -> Missing | None:
    if evidence.harmful_below == 0:
        return None
    return failed(f"{evidence.harmful_below} harmful in a lower class: it fails the higher ones too")


def _e_text(agree: int, miss: int, p0: float) -> str:
    value = e_value(agree, miss, p0)
    return "more than 10000" if value > 1e4 else f"{value:.2f}"  # noqa: PLR2004 - a number that fits a line
