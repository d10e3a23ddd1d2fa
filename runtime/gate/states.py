"""How far an action, a hold and a judgement can come. Closed sets."""

from enum import StrEnum
from typing import Final

from profiles.policy import Role


class ActionState(StrEnum):
    """What became of an action."""

    DENIED = "denied"
    SUGGESTED = "suggested"
    HELD = "held"
    ANSWERED = "answered"  # an identical held write was carried out before; its result was given again
    INTENT = "intent"  # may be happening now
    DONE = "done"
    FAILED = "failed"  # certainly did not happen
    UNKNOWN = "unknown"


class HoldState(StrEnum):
    """What became of a held action."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOIDED = "voided"  # nobody waits for it any more
    USED = "used"  # carried out, or being carried out; never again


class JudgementVerdict(StrEnum):
    """What a person thinks of a suggestion. Never "approve": agreeing executes nothing."""

    AGREE = "agree"
    DISAGREE = "disagree"
    HARMFUL = "harmful"
    UNCLEAR = "unclear"


OPEN_HOLDS = (HoldState.WAITING, HoldState.APPROVED)
JUDGES: Final = frozenset({Role.REVIEWER, Role.DOMAIN_REVIEWER, Role.SECURITY})
"""Whose judgement counts."""
