"""What a review gate can say: four outcomes, and only one of them opens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class GateId(StrEnum):
    """The review gates; G11 (reviewer quality) comes with drills."""

    G1 = "G1"  # observed dwell
    G2 = "G2"  # the sample
    G3 = "G3"  # agreement, by e-process
    G4 = "G4"  # nothing harmful
    G5 = "G5"  # alerts and incidents
    G6 = "G6"  # reviews
    G7 = "G7"  # drift
    G8 = "G8"  # the profile is current
    G9 = "G9"  # the assessment
    G10 = "G10"  # the record
    G12 = "G12"  # approvals
    G13 = "G13"  # no freeze, no suspension


class Outcome(StrEnum):
    """What a gate says. Nothing but `pass` opens it."""

    NO_DATA = "no-data"
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    PASS = "pass"  # noqa: S105 a verdict, no password


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's answer.

    Attributes:
        gate: which.
        outcome: what it says.
        there: what there is, one line.
        missing: what is missing, one line each; empty for a pass.
        earliest: the earliest moment at which it can pass if nothing goes wrong; None: it passes now, or
            nobody can say.
        excepted: it passes only by a recorded exception; `there` says whose.
    """

    gate: GateId
    outcome: Outcome
    there: str
    missing: tuple[str, ...] = ()
    earliest: datetime | None = None
    excepted: bool = False

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.PASS) == bool(self.missing):
            raise ValueError(f"{self.gate}: {self.outcome.value} with missing {self.missing!r}")
