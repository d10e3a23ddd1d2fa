"""Learn the weights of words by which sentences are told that no rule knows.

    python -m scripts.learn_weights

reads the seen half of the scrubber's corpus, its ordinary lines, the examples and lookalikes of the rules,
and documentation installed on this machine, and writes `sandboxes/scrub/weights.tsv`. It does not read the
other halves. How good the result is, tells `python -m bench.scrub_corpus`.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from scipy import optimize, sparse, special

from bench.new_texts import paragraphs
from bench.scrub_corpus import REPLACING, Part, Positive, is_gone, ordinary, positives
from profiles.context import StatusKind
from sandboxes.scrub.pack import SHIPPED as PACKS
from sandboxes.scrub.pack import Pack
from sandboxes.scrub.rules import read_file
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.sentences import one_a_line
from sandboxes.scrub.view import view_of
from sandboxes.scrub.weighing import AGAINST, BIAS, LOOSE, SHIPPED, STRONG, features, is_prose

Sentence = tuple[str, str]  # and the one before it
DOCUMENTS: Final = 30_000  # sentences of documentation
LEAST_SEEN: Final = 2
STRENGTH: Final = 0.3  # of the regression: the inverse of its regularisation
MOST_FEATURES: Final = 12_000
ENOUGH: Final = 0.3  # what a word weighs at the least without which no sentence is weighed
LEAST_OF_RULES: Final = -4.0  # what a sentence weighs at the least that a rule may find which asks for it
TIMES: Final = 3  # what an ordinary line of the corpus counts: it was chosen to be hard
LEAST_OF_PROMPTS: Final = -0.8  # what one weighs at the least that tells where no documents stand
MOST_TOLD: Final = 0.0002  # share of sentences of documentation that may tell


def sentences_of(text: str) -> Iterator[Sentence]:
    """Yield the sentences of a text that are weighed, each with the one before it."""
    before = ""
    for line in one_a_line(view_of(text).data).decode().split("\n"):
        if is_prose(line.lower().encode()):
            yield line, before
        before = line


def parted(found: Iterable[Positive]) -> tuple[list[tuple[Sentence, StatusKind]], list[Sentence]]:
    """Return the sentences of a corpus that hold what tells, and those that stand beside them."""
    tell: list[tuple[Sentence, StatusKind]] = []
    beside: list[Sentence] = []
    for one in found:
        for sentence in (sentence for text in texts_of(one) for sentence in sentences_of(text)):
            if any(tell.lower() in sentence[0].lower() for tell in one.tells):
                tell.append((sentence, one.kind))
            else:
                beside.append(sentence)
    return tell, beside


def left_by_rules(found: Iterable[Positive]) -> list[Sentence]:
    """Return what the rules leave of the texts of a corpus out of which they took what tells."""
    rules = Scrubber((), REPLACING, Pack([read_file(path) for path in sorted(PACKS.glob("*.yaml"))]))
    left = ((one, rules.text(one.text, one.place).value) for one in found if one.form == "text")
    return [sentence for one, text in left if is_gone(one, text) for sentence in sentences_of(text)]


def texts_of(one: Positive) -> Iterator[str]:
    """Yield the running texts of an item."""
    if one.form == "text":
        yield one.text
    elif one.form == "json":
        yield from _strings(json.loads(one.text))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def examples() -> tuple[list[tuple[Sentence, StatusKind]], list[Sentence]]:
    """Return the sentences that the rules of text give as examples, and those that they must not find."""
    rules = [rule for path in sorted(PACKS.glob("*.yaml")) for rule in read_file(path).rules]
    told = [(one, rule.kind) for rule in rules for text in rule.examples for one in sentences_of(text)]
    return told, [one for rule in rules for text in rule.lookalikes for one in sentences_of(text)]


def documents() -> list[Sentence]:
    """Return sentences of documentation, in an order by chance that is always the same."""
    found = [sentence for text in paragraphs() for sentence in sentences_of(text)]
    Random(3).shuffle(found)  # noqa: S311 - an order
    return found


class Learned:
    """A regression: features, and what each weighs."""

    def __init__(self, tell: Sequence[Sentence], rest: Sequence[Sentence]) -> None:
        """Learn what tells from what does not."""
        counts = Counter(one for sentence in (*tell, *rest) for one in features(*sentence))
        self.names = sorted(one for one, count in counts.items() if count >= LEAST_SEEN)
        self._places = {name: place for place, name in enumerate(self.names)}
        table, is_telling = self._table([*tell, *rest]), np.arange(len(tell) + len(rest)) < len(tell)
        here, there = (np.asarray(table[rows].sum(0)).ravel() + 1 for rows in (is_telling, ~is_telling))
        ratios = np.log((here / here.sum()) / (there / there.sum()))
        self.weights = _regression(table @ sparse.diags(ratios), is_telling) * ratios
        self.weights[np.argsort(-np.abs(self.weights))[MOST_FEATURES:]] = 0

    def scores(self, sentences: Sequence[Sentence]) -> Any:
        """Return what sentences weigh, without a bias."""
        return self._table(sentences) @ self.weights

    def _table(self, sentences: Sequence[Sentence]) -> Any:
        """A row for each sentence, a column for each feature."""
        found = [[self._places[one] for one in features(*s) if one in self._places] for s in sentences]
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


def kinds_of(tell: Sequence[tuple[Sentence, StatusKind]]) -> dict[str, StatusKind]:
    """Return for each feature the kind that has it most often, for its size."""
    sizes = Counter(kind for _, kind in tell)
    shares: dict[str, dict[StatusKind, float]] = defaultdict(lambda: defaultdict(float))
    for sentence, kind in tell:
        for one in features(*sentence):
            shares[one][kind] += 1 / sizes[kind]
    return {one: max(share, key=lambda kind: (share[kind], kind)) for one, share in shares.items()}


def main() -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=SHIPPED)
    to: Path = parser.parse_args().to
    tell, lines = examples()
    found, beside = parted(positives(Part.SEEN))
    tell, lines = tell + found, [*lines, *beside, *left_by_rules(positives(Part.SEEN))]
    lines += [one for line, _ in ordinary(Part.SEEN) for one in sentences_of(line)]
    texts = documents()
    learn, hold = texts[:DOCUMENTS], texts[DOCUMENTS:]
    learned = Learned([one for one, _ in tell], [*lines * TIMES, *learn])
    bias = -float(np.quantile(learned.scores(hold), 1 - MOST_TOLD))
    kinds = kinds_of(tell)
    pairs = sorted(((w, n) for w, n in zip(learned.weights, learned.names, strict=True) if w), reverse=True)
    limits = {BIAS: round(bias, 3), STRONG: ENOUGH, AGAINST: LEAST_OF_RULES, LOOSE: LEAST_OF_PROMPTS}
    rows = [f"{name}\t{limit}\t" for name, limit in limits.items()]
    rows += [f"{name}\t{weight:.3f}\t{kinds.get(name, '')}" for weight, name in pairs]
    to.write_text("\n".join([*_HEAD, *rows]) + "\n")
    print(f"{len(pairs)} weights of {len(tell)} sentences that tell and {len(texts)} of documents")


_HEAD: Final = (
    "# What words and pairs of words weigh in a sentence, and `< word` of the sentence before it.",
    "# `^` and `$` are a sentence's beginning and end, `0` any number; words stand without their endings.",
    "# Learned by scripts/learn_weights.py; a line may be changed, added or taken out by hand.",
)


if __name__ == "__main__":
    main()
