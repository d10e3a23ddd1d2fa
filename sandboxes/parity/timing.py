"""Do the doors take as long whatever the status is? A test of two samples, and what it could see. Pure.

Runs come in pairs, one of each status, which take turns call by call, so what slows the machine slows both.
Calls of one run are alike, so the run is what counts: of each pair the logarithm of the ratio of the means of
the middle halves of its calls (as robust as medians against what comes in between, and steadier).
The test is Wilcoxon's signed-rank test with its exact distribution (Biometrics Bulletin 1, 1945). Its power
is found by trying: pairs are drawn again from the measured ones, centred, with a shift of a tenth added, and
it is counted how often the test notices.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, median
from typing import Final

LEVEL: Final = 0.05
SHIFT: Final = 0.10
TRIALS: Final = 1000
WANTED_POWER: Final = 0.95
Runs = Sequence[Mapping[str, Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Pace:
    """One door in two statuses.

    Attributes:
        door: which.
        pairs: how many runs of each status.
        usual_ms: of the usual status, the median over its runs of what `middle` says of each.
        other_ms: the same of the other.
        p: probability of such a difference, or a larger one, where there is none.
        power: how often a slowing by `SHIFT` would have been noticed.
        level: the p below which it counts as a difference: `LEVEL` divided by the number of doors.
    """

    door: str
    pairs: int
    usual_ms: float
    other_ms: float
    p: float
    power: float
    level: float

    @property
    def differs(self) -> bool:
        """Whether the status shows in the time."""
        return self.p < self.level

    @property
    def conclusive(self) -> bool:
        """Whether a difference of `SHIFT` would have been seen."""
        return self.power >= WANTED_POWER


def compare_times(usual: Runs, other: Runs, *, seed: int) -> tuple[Pace, ...]:
    """Compare two statuses door by door.

    Args:
        usual: of each run of the usual status, milliseconds of each call by door.
        other: the same of the other one; runs at the same place are a pair.
        seed: of the trials by which the power is found.
    """
    chance = random.Random(seed)  # noqa: S311 - statistics, no secret
    doors = tuple(usual[0]) if usual else ()
    return tuple(_pace(door, usual, other, chance, LEVEL / len(doors)) for door in doors)


def _pace(door: str, usual: Runs, other: Runs, chance: random.Random, level: float) -> Pace:
    here = [middle(run[door]) for run in usual]
    there = [middle(run[door]) for run in other]
    ratios = [math.log(two / one) for one, two in zip(here, there, strict=True)]
    return Pace(
        door=door,
        pairs=len(ratios),
        usual_ms=median(here),
        other_ms=median(there),
        p=signed_rank(ratios),
        power=power(ratios, chance, level),
        level=level,
    )


def middle(values: Sequence[float]) -> float:
    """Return the mean of the middle half of some values, at least one of them."""
    ordered, cut = sorted(values), len(values) // 4
    return fmean(ordered[cut : len(ordered) - cut])


def signed_rank(differences: Sequence[float]) -> float:
    """Return the two-sided p of Wilcoxon's test that differences lie around zero; zeros are left out."""
    told = sorted((abs(value), value > 0) for value in differences if value)
    if not told:
        return 1.0
    positive = sum(rank for rank, (_, above) in enumerate(told, 1) if above)
    counts = _rank_sums(len(told))
    at_most = sum(counts[: positive + 1])
    at_least = sum(counts[positive:])
    return min(1.0, 2 * min(at_most, at_least) / sum(counts))


def power(differences: Sequence[float], chance: random.Random, level: float, shift: float = SHIFT) -> float:
    """Return how often the test notices that one side is slower by `shift`, by drawing pairs anew."""
    if not differences:
        return 0.0
    centre, slower = median(differences), math.log(1 + shift)
    noticed = 0
    for _ in range(TRIALS):
        drawn = chance.choices(differences, k=len(differences))
        # A pair may as well have been taken the other way round; so equal values do not become ties.
        trial = [slower + chance.choice((-1, 1)) * (value - centre) for value in drawn]
        noticed += signed_rank(trial) < level
    return noticed / TRIALS


@cache
def _rank_sums(count: int) -> tuple[int, ...]:
    """Return in how many ways the ranks 1 to `count` give each sum, all signs being equally likely."""
    ways = [1] + [0] * (count * (count + 1) // 2)
    for rank in range(1, count + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return tuple(ways)
