"""Tables of weights: text files with a line for each feature, what it weighs, and for which kind.

A line without a kind says what a feature weighs for telling anything. The mean of that sum and of the best
kind's own sum counts: what speaks a little for every kind is less than what speaks for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Final

from profiles.context import StatusKind
from sandboxes.errors import PackError

BIAS: Final = "(bias)"
RULE: Final = "(rule) "
_MOST_AGAINST: Final = 9.0  # that counts of what speaks against telling anything
_HOPELESS: Final = -4.0  # what weighs less is not asked for its kind


@dataclass(frozen=True, slots=True)
class Table:
    """Weights of features.

    Attributes:
        settings: numbers by their names.
        least: for rules that are often wrong, what must be weighed at the least where one is right.
        weights: of each feature, for telling anything.
        kinds: of each kind, what features weigh for it.
    """

    settings: Mapping[str, float]
    least: Mapping[str, float]
    weights: Mapping[str, float]
    kinds: Mapping[StatusKind, Mapping[str, float]]

    def sum(self, features: Iterable[str]) -> float:
        """Return what features weigh together for telling anything, without the bias.

        Much that speaks against it counts no more than some: who writes a text can put many such words there.
        """
        found = [*map(self.weights.get, features, repeat(0.0))]
        against = sum(weight for weight in found if weight < 0)
        return sum(found) + max(-_MOST_AGAINST - against, 0.0)

    def best(self, features: AbstractSet[str], score: float) -> tuple[float, StatusKind | None]:
        """Return what features weigh, and for which kind.

        Args:
            features: the features.
            score: what they weigh for telling anything, with the bias.
        """
        if score < _HOPELESS or not self.kinds:
            return score, None
        sums = {kind: sum(map(own.get, (BIAS, *features), repeat(0.0))) for kind, own in self.kinds.items()}
        kind = max(sums, key=lambda one: (sums[one], one))
        return (score + sums[kind]) / 2, kind


def read_table(path: Path, settings: Sequence[str]) -> Table:
    """Return the weights of a file.

    Args:
        path: the file.
        settings: names of numbers that it must have.

    Raises:
        PackError: it cannot be read, a line is not a feature, a weight and a kind, or a setting is missing.
    """
    weights: dict[str, float] = {}
    kinds: dict[StatusKind, dict[str, float]] = {kind: {} for kind in StatusKind}
    tables = {kind.value: table for kind, table in kinds.items()} | {"": weights}
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"weights {path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.startswith("# "):
            continue
        try:
            feature, weight, kind = line.split("\t")
            tables[kind][feature] = float(weight)
        except (ValueError, KeyError) as error:
            told = f"weights {path}: line {number}: {line!r}: expected a word, a weight and a kind, by tabs"
            raise PackError(told) from error
    try:
        found = {name: weights.pop(name) for name in settings}
    except KeyError as error:
        raise PackError(f"weights {path}: has no line {error}") from error
    rules = [name for name in weights if name.startswith(RULE)]
    least = {name.removeprefix(RULE): weights.pop(name) for name in rules}
    return Table(found, least, weights, {kind: table for kind, table in kinds.items() if table})
