"""A logistic regression over features scaled by their log-count ratio (Wang and Manning, ACL 2012)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
from scipy import optimize, sparse, special

from profiles.context import StatusKind
from sandboxes.scrub.weighing import features
from scripts.weight_texts import Told

LEAST_SEEN: Final = 2
STRENGTH: Final = 0.3  # of the regression: the inverse of its regularisation
MOST_FEATURES: Final = 25_000


class Learned:
    """A regression: features, and what each weighs."""

    def __init__(self, tell: Sequence[str], rest: Sequence[str], left_out: Collection[str]) -> None:
        """Learn what tells from what does not, but nothing of some stems."""
        counts = Counter(one for sentence in (*tell, *rest) for one in features(sentence))
        often = (one for one, count in counts.items() if count >= LEAST_SEEN)
        self.names = sorted(one for one in often if not any(part in left_out for part in one.split(" ")))
        self._places = {name: place for place, name in enumerate(self.names)}
        table, is_telling = self._table([*tell, *rest]), np.arange(len(tell) + len(rest)) < len(tell)
        here, there = (np.asarray(table[rows].sum(0)).ravel() + 1 for rows in (is_telling, ~is_telling))
        ratios = np.log((here / here.sum()) / (there / there.sum()))
        self.weights = _regression(table @ sparse.diags(ratios), is_telling) * ratios
        self.weights[np.argsort(-np.abs(self.weights))[MOST_FEATURES:]] = 0

    def scores(self, sentences: Sequence[str]) -> Any:
        """Return what sentences weigh, without a bias."""
        return self._table(sentences) @ self.weights

    def _table(self, sentences: Sequence[str]) -> Any:
        """A row for each sentence, a column for each feature."""
        found = [[self._places[one] for one in features(s) if one in self._places] for s in sentences]
        columns = np.fromiter((place for row in found for place in row), dtype=np.int32)
        ends = np.cumsum([0, *map(len, found)])
        shape = (len(found), len(self._places))
        return sparse.csr_matrix((np.ones(len(columns)), columns, ends), shape=shape)


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


def kinds_of(tell: Sequence[Told]) -> dict[str, StatusKind]:
    """Return for each feature the kind that has it most often, for its size."""
    sizes = Counter(kind for _, kind in tell)
    shares: dict[str, dict[StatusKind, float]] = defaultdict(lambda: defaultdict(float))
    for sentence, kind in tell:
        for one in features(sentence):
            shares[one][kind] += 1 / sizes[kind]
    return {one: max(share, key=lambda kind: (share[kind], kind)) for one, share in shares.items()}
