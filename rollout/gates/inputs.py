"""What review gates look at beside the evidence: the words of people, already verified. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rollout.gates.model import GateId

Exceptions = Mapping[GateId, tuple[str, ...]]
"""Gates that pass with a shorter observation, each with the persons who signed for it."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """The yes of each person that counts now (G12).

    Attributes:
        persons: whose word counts, in order.
        missing: what is still needed, one phrase each; empty when they are enough.
        oldest: when the oldest of these words was said; None: there is none.
    """

    persons: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("an approval",)
    oldest: datetime | None = None
