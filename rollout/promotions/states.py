"""How far a request for a promotion can come. Closed sets."""

from enum import StrEnum
from typing import Final


class PromotionState(StrEnum):
    """What became of a request."""

    DRAFT = "draft"  # looked at before it is asked for; never stored
    EVIDENCE_FROZEN = "evidence_frozen"  # nobody has said yes
    AWAITING = "awaiting"  # a yes is in; it waits for others, or to be applied
    APPLIED = "applied"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"  # what was signed for is not what is there any more
    WITHDRAWN = "withdrawn"


OPEN: Final = frozenset({PromotionState.EVIDENCE_FROZEN, PromotionState.AWAITING})
"""States from which something can still happen."""
