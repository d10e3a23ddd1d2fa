"""How a gate's answer is made from what it found. Pure; the worst finding is the outcome."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rollout.gates.model import GateId, GateResult, Outcome

_WORST_FIRST = (Outcome.FAIL, Outcome.NO_DATA, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands in the way.

    Attributes:
        outcome: what it makes of the gate: `fail`, `no-data` or `inconclusive`.
        said: what is missing, one line.
        until: the earliest moment at which it can be there; None: nobody can say.
    """

    outcome: Outcome
    said: str
    until: datetime | None = None


def failed(said: str, until: datetime | None = None) -> Missing:
    """What was found speaks against it."""
    return Missing(Outcome.FAIL, said, until)


def unknown(said: str) -> Missing:
    """Nothing is known: never taken for success."""
    return Missing(Outcome.NO_DATA, said)


def waiting(said: str, until: datetime | None = None) -> Missing:
    """There is not enough yet."""
    return Missing(Outcome.INCONCLUSIVE, said, until)


def answer(
    gate: GateId, there: str, found: Iterable[Missing | None], *, excepted: bool = False
) -> GateResult:
    """Return a gate's answer.

    Args:
        gate: which.
        there: what there is, one line.
        found: what stands in the way; None where nothing does.
        excepted: it would pass by a recorded exception only.
    """
    missing = tuple(one for one in found if one is not None)
    if not missing:
        return GateResult(gate, Outcome.PASS, there, excepted=excepted)
    worst = next(outcome for outcome in _WORST_FIRST if outcome in {one.outcome for one in missing})
    return GateResult(gate, worst, there, tuple(one.said for one in missing), _earliest(missing))


def _earliest(missing: tuple[Missing, ...]) -> datetime | None:
    """Return when all of it can be there, if that can be said of each."""
    known = [one.until for one in missing if one.until is not None]
    return max(known) if len(known) == len(missing) else None
