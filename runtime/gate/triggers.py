"""What a denial costs beside itself: power that goes in the very transaction that denies.

| seen in the action | what follows |
|---|---|
| the never-list; an attempt on the agent's own keepers (R-04) | quarantine, tier 0 |
| a tool or request outside the profile; another deployment than was pinned | tier 0 |

It needs nobody's word, since it only takes. An action that is allowed, held or suggested costs nothing.
"""

from typing import TYPE_CHECKING, Final

from profiles.effects import Tier
from runtime.demotion import DemotionCause, drop
from runtime.gate.answers import Answer, ReasonCode
from runtime.gate.decide import Decided
from runtime.quarantine import quarantine
from runtime.record.batch import Tx

if TYPE_CHECKING:
    from runtime.gate.units import Case

ACTOR: Final = "gate"
_CAUSES: Final = {
    ReasonCode.SELF_PRESERVATION: DemotionCause.SELF_PRESERVATION,
    ReasonCode.NEVER: DemotionCause.NEVER,
    ReasonCode.DEPLOYMENT_CHANGED: DemotionCause.CHANGED,
    ReasonCode.UNKNOWN_TOOL: DemotionCause.OUT_OF_SCOPE,
    ReasonCode.NOT_PERMITTED_REQUEST: DemotionCause.OUT_OF_SCOPE,
}
"""What each reason is, gravest first."""
_QUARANTINED: Final = frozenset({DemotionCause.SELF_PRESERVATION, DemotionCause.NEVER})


def cause_of(decided: Decided) -> DemotionCause | None:
    """Return the gravest thing that a denial shows; None if it costs nothing. Pure."""
    if decided.answer is not Answer.DENY:
        return None
    shown = {reason.code for reason in decided.decision.reasons}
    return next((cause for code, cause in _CAUSES.items() if code in shown), None)


def respond(tx: Tx, case: "Case") -> bool:
    """Take power away for what a denied action shows.

    Returns:
        whether anything changed that a world is made of.
    """
    cause, run = cause_of(case.decided), case.run
    if cause is None:
        return False
    if cause not in _QUARANTINED:
        return bool(drop(tx, run.deployment, Tier.OBSERVE, cause, actor=ACTOR, now=case.now))
    done = quarantine(
        tx,
        agent=run.agent,
        deployment=run.deployment,
        cause=cause,
        actor=ACTOR,
        roster=case.world.roster,
        new_id=case.parts.new_id,
        now=case.now,
    )
    return done.freeze is not None or bool(done.revoked)
