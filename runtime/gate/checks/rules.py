"""What do the written rules say: the never-list, and the grants once more, by Cedar?

The never-list denies whatever was granted or approved (R-14). Any error denies.
"""

from runtime.cedar import CedarAnswer, CedarOutcome, CedarRequest
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, allow
from runtime.gate.checks.ladder import check_ladder
from runtime.gate.facts import Facts
from runtime.gate.lookalike import printable
from runtime.gate.reading import Reading

CHECK = "rules"
_UNKNOWN = "unknown"


def check_rules(reading: Reading, facts: Facts) -> Verdict:
    """Ask the compiled rules."""
    if reading.name is None:
        reason = Reason(ReasonCode.UNKNOWN_TOOL, "no rule permits what the profile does not name")
        return Verdict(CHECK, Answer.DENY, (reason,))
    answer = facts.engine.decide(_request(reading, facts))
    if answer.outcome is CedarOutcome.PERMITTED:
        return allow(CHECK)
    if answer.outcome is CedarOutcome.FORBIDDEN:
        return _forbidden(answer, facts)
    if answer.outcome is CedarOutcome.NOT_GRANTED:
        return _not_granted(reading, facts)
    return _broken(answer)


def _request(reading: Reading, facts: Facts) -> CedarRequest:
    return CedarRequest(
        agent=facts.agent,
        action=reading.name or _UNKNOWN,
        resource=reading.upstream or _UNKNOWN,
        effect=reading.effect,
        granted=facts.power.granted,
        args=reading.action.args,
        count=reading.units,
    )


def _forbidden(answer: CedarAnswer, facts: Facts) -> Verdict:
    texts = {rule.id: rule.text for rule in facts.profile.never}
    reasons = tuple(
        Reason(ReasonCode.NEVER, texts.get(rule, "a never-rule forbids it"), rule=rule)
        for rule in answer.rule_ids
    )
    return Verdict(CHECK, Answer.DENY, reasons)


def _not_granted(reading: Reading, facts: Facts) -> Verdict:
    # The permit asks whether this very class is granted. The ladder says what happens to it when it is not;
    # where the ladder would let it pass, the two disagree, and then nothing passes.
    ladder = check_ladder(reading, facts)
    if ladder.answer is Answer.ALLOW or reading.effect in facts.power.granted:
        reason = Reason(ReasonCode.NO_GRANT, "no permit covers this class or this upstream")
        return Verdict(CHECK, Answer.DENY, (reason,))
    return Verdict(CHECK, ladder.answer, ladder.reasons)


def _broken(answer: CedarAnswer) -> Verdict:
    detail = printable("; ".join(answer.errors) or "the rules gave no answer", 400)
    rules = answer.rule_ids or (None,)
    return Verdict(CHECK, Answer.DENY, tuple(Reason(ReasonCode.RULE_ERROR, detail, rule=r) for r in rules))
