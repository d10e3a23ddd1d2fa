"""What promotions need of evidence and gates. Composed in the console, so that tests can bring their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from profiles.effects import Effect
from rollout.evidence.model import Evidence, Sample
from rollout.gates.model import GateId, GateResult

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


class Assessor(Protocol):
    """Looks at one deployment and one class. Each look is one consistent view of the database."""

    def collect(self, conn: Connection, deployment: str, effect: Effect, *, now: datetime) -> Evidence:
        """Return everything that the review gates look at."""
        ...

    def sample(
        self, conn: Connection, deployment: str, effect: Effect, *, since: datetime, through: datetime
    ) -> Sample:
        """Return the judged items of the window as they were known at `through`."""
        ...

    def evaluate(
        self, evidence: Evidence, *, approvals: Approvals, exceptions: Exceptions, now: datetime
    ) -> tuple[GateResult, ...]:
        """Return what each review gate says."""
        ...
