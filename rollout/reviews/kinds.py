"""The kinds of review that are owed, and what can become of one."""

from enum import StrEnum
from typing import Final


class ReviewKind(StrEnum):
    """Why a review is owed."""

    PERIODIC = "periodic"  # by the agent's risk row
    SPECIFICATION = "specification"  # the profile itself, quarterly
    EVALUATION = "evaluation"  # every live agent has a future evaluation date
    CHANGE = "change"  # each deployment of an agent that changes code


class ObligationState(StrEnum):
    """What became of an owed review."""

    OPEN = "open"  # owed, and not yet due as far as the clock has looked
    OVERDUE = "overdue"  # due and not closed: writes are suspended
    CLOSED = "closed"  # by signed words
    VOID = "void"  # its deployment was replaced before it was due


OWED: Final = (ObligationState.OPEN.value, ObligationState.OVERDUE.value)
"""States of a review that somebody still owes."""
