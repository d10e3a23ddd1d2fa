"""Is there a yes for what is held? An approval clears the very reasons its signers were shown, and no other.

It never makes a suggestion or a denial milder: a never-rule beats every approval (R-14).
"""

from collections.abc import Sequence
from dataclasses import replace

from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict
from runtime.gate.facts import Approval, Facts
from runtime.gate.reading import Reading


def clear_held(verdicts: Sequence[Verdict], reading: Reading, facts: Facts) -> tuple[Verdict, ...]:
    """Return the verdicts with every hold allowed whose reasons are all cleared; a new reason holds again.

    Where the policy names nobody who could approve this class, a hold is a denial.
    """
    if reading.effect not in facts.approvable:
        return tuple(_without_approver(verdict) for verdict in verdicts)
    approval = facts.approval
    if approval is None or approval.digest != reading.digest or facts.now >= approval.expires_at:
        return tuple(verdicts)
    return tuple(
        replace(verdict, answer=Answer.ALLOW) if _is_cleared(verdict, approval) else verdict
        for verdict in verdicts
    )


def pair_of(reason: Reason) -> tuple[str, str]:
    """Return what an approval names of a reason: its code and the identity of what is unusual."""
    return reason.code.value, reason.key or ""


def held_pairs(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """Return the pairs that an approval must clear, sorted, each once."""
    held = {pair_of(r) for v in verdicts if v.answer is Answer.HOLD for r in v.reasons}
    return tuple(sorted(held))


def _without_approver(verdict: Verdict) -> Verdict:
    # A hold that nobody may answer would wait for ever, and "nobody objected" must never become a yes.
    if verdict.answer is not Answer.HOLD:
        return verdict
    reason = Reason(ReasonCode.NO_GRANT, "the policy names nobody who may approve this class")
    return replace(verdict, answer=Answer.DENY, reasons=(*verdict.reasons, reason))


def _is_cleared(verdict: Verdict, approval: Approval) -> bool:
    return verdict.answer is Answer.HOLD and all(pair_of(r) in approval.clears for r in verdict.reasons)
