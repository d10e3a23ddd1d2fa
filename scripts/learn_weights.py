"""Learn the weights of words by which sentences are told that no rule knows.

    python -m scripts.learn_weights

reads sentences written to be learned from, the seen half of the scrubber's corpus, its ordinary lines, the
examples and lookalikes of the rules, documentation installed on this machine, and running text of packages of
Debian, and writes `sandboxes/scrub/weights.tsv`. It does not read the other halves. How good the result is,
is told by `python -m bench.scrub_corpus`.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from bench.scrub_corpus import Part, ordinary, positives
from sandboxes.scrub.weighing import LOOSE, SHIPPED, STRONG, features
from scripts.regression import Learned
from scripts.rule_limits import Scored, limits
from scripts.weight_texts import (
    Told,
    documents,
    examples,
    left_by_rules,
    names,
    other_texts,
    parted,
    rules_alone,
    sentences_of,
    written,
)

T = TypeVar("T")
DOCUMENTS: Final = 50_000  # sentences of documentation; the rest says what the bias must be
LEARNED: Final = 0.8  # of other texts; the rest likewise
TIMES: Final = 10  # what an ordinary line of the corpus counts: it was chosen to be hard
TIMES_ALIKE: Final = 10  # what a lookalike of a rule counts beside such a line: none of them may be found
MOST_TOLD: Final = 0.00034  # share of sentences of documentation and other texts that may tell
TIMES_UNTOLD: Final = 3  # what an ordinary sentence counts that was written to be learned from
ENOUGH: Final = 0.5  # what a word weighs at the least without which no sentence is weighed
LEAST_OF_PROMPTS: Final = -1.3  # what a sentence weighs at the least that tells where no documents stand
FOLDS: Final = 4
FEATURES: Final = 25_000  # that get a weight for telling anything
FEATURES_OF_KIND: Final = 8_000  # that get one for a kind


class Lessons:
    """All sentences."""

    def __init__(self) -> None:
        """Gather them."""
        tell, alike = examples()
        found, beside = parted(positives(Part.SEEN))
        lines = [one for line, _ in ordinary(Part.SEEN) for one in sentences_of(line)]
        self.told: list[Told] = [*tell, *found]
        self.hard = [*alike * TIMES_ALIKE, *beside, *left_by_rules(positives(Part.SEEN)), *lines]
        self.written, self.untold = written()
        texts, others = documents(), other_texts()
        most = int(LEARNED * len(others))
        self.easy = [*texts[:DOCUMENTS], *others[:most]]
        self.held = [*texts[DOCUMENTS:], *others[most:]]
        self._names = names()

    def learned(self, written: Sequence[Told], untold: list[str], *, by_kind: bool) -> Learned[str]:
        """Learn from all, and of what was written from a part."""
        rest = [*self.hard * TIMES, *untold * TIMES_UNTOLD, *self.easy]
        tell, of_kind = [*self.told, *written], FEATURES_OF_KIND if by_kind else 0
        return Learned(tell, rest, features, self._names, most=FEATURES, most_of_kind=of_kind)

    def apart(self) -> tuple[list[Scored], list[Scored]]:
        """Weigh all that was written, each by weights that were learned without it."""
        tell, rest = [*self.written], [*self.untold]
        Random(1).shuffle(tell)  # noqa: S311 - an order
        Random(1).shuffle(rest)  # noqa: S311 - an order
        scored: tuple[list[Scored], list[Scored]] = ([], [])
        for fold in range(FOLDS):
            learned = self.learned([*_others(tell, fold)], [*_others(rest, fold)], by_kind=False)
            bias = learned.biases(self.held, MOST_TOLD)[None]
            for place, mine in enumerate(([one for one, _ in tell[fold::FOLDS]], rest[fold::FOLDS])):
                scored[place].extend(zip(mine, (learned.scores(mine) + bias).tolist(), strict=True))
        return scored


def _others(side: Sequence[T], fold: int) -> Iterator[T]:
    return (one for place, one in enumerate(side) if place % FOLDS != fold)


def main() -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=SHIPPED)
    to: Path = parser.parse_args().to
    lessons = Lessons()
    learned = lessons.learned(lessons.written, lessons.untold, by_kind=True)
    biases = learned.biases(lessons.held, MOST_TOLD)
    tell, rest = lessons.apart()
    held = zip(lessons.held, (learned.scores(lessons.held) + biases[None]).tolist(), strict=True)

    def weigh(sentence: str) -> float:
        return float(learned.scores([sentence])[0]) + biases[None]

    least = limits(rules_alone(), tell, [*rest, *held], weigh)
    rows = learned.lines({STRONG: ENOUGH, LOOSE: LEAST_OF_PROMPTS}, least, biases)
    to.write_text("\n".join([*_HEAD, *rows]) + "\n")
    print(f"{len(rows)} weights, {len(least)} of them limits of rules")


_HEAD: Final = (
    "# What words and pairs of words weigh in a sentence, and how much a sentence must weigh for some rules.",
    "# `^` and `$` are a sentence's beginning and end, `0` any number; words stand without their endings.",
    "# Learned by scripts/learn_weights.py; a line may be changed, added or taken out by hand.",
)


if __name__ == "__main__":
    main()
