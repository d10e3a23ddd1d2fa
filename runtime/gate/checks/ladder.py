"""Is the action's effect within what is granted? The table of effect and tier.

- nothing is granted, or not even reading: deny;
- critical: held for two persons where everything is granted, else suggested;
- a granted effect (with every lower class that the profile uses): allow;
- any other effect: suggested, except that from tier 1 on those in `hold_above_tier` are held.
"""

from profiles.effects import Effect, Tier
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, allow
from runtime.gate.facts import Facts
from runtime.gate.reading import Reading

CHECK = "ladder"


def check_ladder(reading: Reading, facts: Facts) -> Verdict:
    """Answer by the table above."""
    effect, power, used = reading.effect, facts.power, facts.used
    if Effect.READ not in power.granted:
        return _verdict(Answer.DENY, ReasonCode.NO_GRANT, "nothing is granted to this deployment", effect)
    covered = power.covers(effect, used)
    if effect is Effect.CRITICAL:
        if covered:
            return _verdict(Answer.HOLD, ReasonCode.TWO_PERSONS, "two persons decide on each one", effect)
        return _verdict(Answer.SUGGEST, ReasonCode.ABOVE_TIER, "this class is not granted", effect)
    if covered:
        return allow(CHECK)
    tier = power.tier(used)
    held = tier is not None and tier >= Tier.DRAFT and effect in facts.profile.hold_above_tier
    answer = Answer.HOLD if held else Answer.SUGGEST
    return _verdict(answer, ReasonCode.ABOVE_TIER, "this class is not granted", effect)


def _verdict(answer: Answer, code: ReasonCode, detail: str, effect: Effect) -> Verdict:
    return Verdict(CHECK, answer, (Reason(code, f"{effect}: {detail}", key=f"effect:{effect}"),))
