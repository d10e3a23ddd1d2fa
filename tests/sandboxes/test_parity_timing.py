"""Comparing how long doors take: the test of two samples, against an oracle, and its power."""

import math
import random

import pytest
from scipy import stats

from sandboxes.parity.timing import Pace, compare_times, middle, power, signed_rank

Run = dict[str, list[float]]


def runs(seed: int, count: int, *, factor: float = 1.0, noise: float = 0.03) -> list[Run]:
    """Runs whose calls are alike, each run a little quicker or slower than the others."""
    chance = random.Random(seed)  # noqa: S311 - statistics, no secret
    made = []
    for _ in range(count):
        pace = factor * chance.lognormvariate(1.0, noise)
        made.append({"read": [pace * chance.lognormvariate(0, 0.2) for _ in range(40)]})
    return made


def compared(seed: int, count: int, *, factor: float = 1.0, noise: float = 0.03) -> Pace:
    here, there = runs(seed, count, noise=noise), runs(seed + 99, count, factor=factor, noise=noise)
    return compare_times(here, there, seed=7)[0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("middle", [0.0, 0.4, -1.5])
def test_the_test_says_what_the_oracle_says(seed: int, middle: float) -> None:
    chance = random.Random(seed)  # noqa: S311 - statistics, no secret
    values = [chance.gauss(middle, 1.0) for _ in range(14)]

    assert signed_rank(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue, rel=1e-9)


@pytest.mark.parametrize("values", [[], [0.0, 0.0]])
def test_differences_that_can_tell_nothing_tell_nothing(values: list[float]) -> None:
    assert signed_rank(values) == 1.0


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], 3.0), ([1.0, 2.0], 1.5), ([9.0, 1.0, 3.0, 500.0], 6.0), ([1, 2, 3, 4, 90], 3.0)],
)
def test_the_middle_half_of_the_calls_counts(values: list[float], expected: float) -> None:
    assert middle(values) == expected


def test_a_door_that_is_slower_in_one_status_is_found() -> None:
    """Issue 4, figures: a shift of a tenth does not go unnoticed."""
    found = compared(1, 14, factor=1.1)

    assert found.differs
    assert found.other_ms > found.usual_ms


def test_doors_that_are_alike_are_told_to_be_so_with_the_power_to_know_it() -> None:
    found = compared(1, 14)

    assert not found.differs
    assert found.conclusive


def test_one_slow_run_with_many_calls_is_no_difference() -> None:
    """Calls of one run are alike; counting each of them would take chance for status."""
    usual, other = runs(1, 14), runs(2, 14)
    other[3]["read"] = [value * 2 for value in other[3]["read"]] * 100

    assert not compare_times(usual, other, seed=7)[0].differs


def test_too_few_pairs_are_told_by_their_power() -> None:
    """No difference found proves nothing where none could have been seen."""
    found = compared(1, 4)

    assert not found.conclusive
    assert found.power == 0.0


def test_noise_takes_power_away() -> None:
    assert compared(1, 14, noise=0.3).power < compared(1, 14, noise=0.03).power


def test_power_grows_with_the_shift() -> None:
    values = [math.log(1 + number / 100) for number in range(-7, 7)]
    chance = random.Random(1)  # noqa: S311 - statistics, no secret

    assert power(values, chance, 0.05, shift=0.01) < power(values, chance, 0.05, shift=0.1)


def test_the_same_seed_gives_the_same_answer() -> None:
    assert compared(5, 10) == compared(5, 10)
