"""A logistic regression over features scaled by their log-count ratio (Wang and Manning, ACL 2012)."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import numpy as np
from scipy import optimize, sparse, special

from profiles.context import StatusKind
from sandboxes.scrub.weights import BIAS, RULE

T = TypeVar("T")
LEAST_SEEN: Final = 2
STRENGTH: Final = 0.3  # of the regression: the inverse of its regularisation
FEWEST: Final = 100  # examples of a kind; of fewer, nothing is learned


class Learned(Generic[T]):
    """A regression for telling anything, and one for each kind against what tells nothing."""

    def __init__(
        self,
        tell: Sequence[tuple[T, StatusKind]],
        rest: Sequence[T],
        read: Callable[[T], set[str]],
        left_out: Collection[str] = (),
        *,
        most: int,
        most_of_kind: int,
    ) -> None:
        """Learn what tells from what does not.

        Args:
            tell: what tells, and of which kind it is.
            rest: what does not.
            read: returns the features of one.
            left_out: words of which nothing is learned.
            most: features that get a weight for telling anything.
            most_of_kind: features that get one for a kind; 0 if kinds are not learned.
        """
        self._read = read
        found = [read(one) for one in (*(one for one, _ in tell), *rest)]
        counts = Counter(feature for features in found for feature in features)
        often = (feature for feature, count in counts.items() if count >= LEAST_SEEN)
        self._names = sorted(one for one in often if not any(part in left_out for part in one.split(" ")))
        self._places = {name: place for place, name in enumerate(self._names)}
        table, is_telling = self._table(found), np.arange(len(found)) < len(tell)
        self._all = _weights(table, is_telling, most)
        kinds = np.array([*(kind.value for _, kind in tell), *("" for _ in rest)])
        asked = [kind for kind in StatusKind if (kinds == kind).sum() >= FEWEST and most_of_kind]
        rows = {kind: (kinds == kind) | ~is_telling for kind in asked}
        self._kinds = {
            kind: _weights(table[some], (kinds == kind)[some], most_of_kind) for kind, some in rows.items()
        }

    def scores(self, some: Sequence[T]) -> Any:
        """Return what some weigh for telling anything, without a bias."""
        return self._table([self._read(one) for one in some]) @ self._all

    def biases(self, untold: Sequence[T], most: float) -> dict[StatusKind | None, float]:
        """Return by which bias few of what tells nothing seem to tell: for anything, and for each kind."""
        table = self._table([self._read(one) for one in untold])
        sorts: list[tuple[StatusKind | None, Any]] = [(None, self._all), *self._kinds.items()]
        return {kind: -float(np.quantile(table @ weights, 1 - most)) for kind, weights in sorts}

    def lines(
        self,
        settings: Mapping[str, float],
        least: Mapping[str, float],
        biases: Mapping[StatusKind | None, float],
    ) -> list[str]:
        """Return the lines of a file of weights: settings, limits of rules, and what each feature weighs."""
        rows = [f"{BIAS}\t{biases[None]:.3f}\t", *(f"{name}\t{one}\t" for name, one in settings.items())]
        rows += [f"{RULE}{rule}\t{limit:.2f}\t" for rule, limit in sorted(least.items())]
        rows += self._lines(self._all, "")
        for kind, weights in self._kinds.items():
            rows += [f"{BIAS}\t{biases[kind]:.3f}\t{kind}", *self._lines(weights, kind.value)]
        return rows

    def _lines(self, weights: Any, kind: str) -> list[str]:
        pairs = sorted(((w, n) for w, n in zip(weights, self._names, strict=True) if w), reverse=True)
        return [f"{name}\t{weight:.3f}\t{kind}" for weight, name in pairs]

    def _table(self, found: Sequence[Collection[str]]) -> Any:
        """A row for each, a column for each feature."""
        rows = [[self._places[one] for one in features if one in self._places] for features in found]
        columns = np.fromiter((place for row in rows for place in row), dtype=np.int32)
        ends = np.cumsum([0, *map(len, rows)])
        return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(rows), len(self._places)))


def _weights(table: Any, is_telling: Any, most: int) -> Any:
    """Return what features weigh, most of them nothing."""
    here, there = (np.asarray(table[rows].sum(0)).ravel() + 1 for rows in (is_telling, ~is_telling))
    ratios = np.log((here / here.sum()) / (there / there.sum()))
    weights = _regression(table @ sparse.diags(ratios), is_telling) * ratios
    weights[np.argsort(-np.abs(weights))[most:]] = 0
    return weights


def _regression(table: Any, is_telling: Any) -> Any:
    """Return the coefficients of a logistic regression in which both sides weigh alike."""
    signs = np.where(is_telling, 1.0, -1.0)
    share = np.where(is_telling, 0.5 / is_telling.mean(), 0.5 / (~is_telling).mean()) * STRENGTH

    def loss(both: Any) -> tuple[float, Any]:
        margins = signs * (table @ both[:-1] + both[-1])
        slopes = -share * signs * special.expit(-margins)
        cost = share @ np.logaddexp(0, -margins) + both[:-1] @ both[:-1] / 2
        return cost, np.append(table.T @ slopes + both[:-1], slopes.sum())

    start = np.zeros(table.shape[1] + 1)
    return optimize.minimize(loss, start, jac=True, method="L-BFGS-B").x[:-1]
