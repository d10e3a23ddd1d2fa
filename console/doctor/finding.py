"""What a check found. Values only."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is, mildest first."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: what was looked at, in a word or two.
        level: how bad it is.
        said: what was found.
        next_step: what to do about it; empty where nothing is to do.
    """

    check: str
    level: Level
    said: str
    next_step: str = ""


def good(check: str, said: str) -> Finding:
    """Return the finding that nothing is wrong."""
    return Finding(check, Level.OK, said)


def worst(findings: list[Finding]) -> Level:
    """Return the worst level of all; no findings at all is a failure."""
    order = tuple(Level)
    return max((finding.level for finding in findings), key=order.index, default=Level.FAIL)
