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
from typing import Final

import numpy as np

from bench.scrub_corpus import Part, ordinary, positives
from sandboxes.scrub.weighing import BIAS, LOOSE, RULE, SHIPPED, STRONG
from scripts.regression import Learned, kinds_of
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

DOCUMENTS: Final = 50_000  # sentences of documentation; the rest says what the bias must be
LEARNED: Final = 0.8  # of other texts; the rest likewise
TIMES: Final = 3  # what an ordinary line of the corpus counts: it was chosen to be hard
TIMES_ALIKE: Final = 10  # what a lookalike of a rule counts beside such a line: none of them may be found
MOST_TOLD: Final = 0.00034  # share of sentences of documentation and other texts that may tell
ENOUGH: Final = 0.5  # what a word weighs at the least without which no sentence is weighed
LEAST_OF_PROMPTS: Final = -1.3  # what a sentence weighs at the least that tells where no documents stand
FOLDS: Final = 4


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

    def learned(self, written: Sequence[str], untold: Sequence[str]) -> tuple[Learned, float]:
        """Learn from all and of what was written from a part; return the bias too."""
        tell = [*(one for one, _ in self.told), *written]
        learned = Learned(tell, [*self.hard * TIMES, *untold, *self.easy], self._names)
        return learned, -float(np.quantile(learned.scores(self.held), 1 - MOST_TOLD))

    def apart(self) -> tuple[list[Scored], list[Scored]]:
        """Weigh all that was written, each by weights that were learned without it."""
        sides = ([one for one, _ in self.written], [*self.untold])
        scored: tuple[list[Scored], list[Scored]] = ([], [])
        for side in sides:
            Random(1).shuffle(side)  # noqa: S311 - an order
        for fold in range(FOLDS):
            learned, bias = self.learned(*([*_others(side, fold)] for side in sides))
            for place, side in enumerate(sides):
                mine = side[fold::FOLDS]
                scored[place].extend(zip(mine, (learned.scores(mine) + bias).tolist(), strict=True))
        return scored


def _others(side: Sequence[str], fold: int) -> Iterator[str]:
    return (one for place, one in enumerate(side) if place % FOLDS != fold)


def main() -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=SHIPPED)
    to: Path = parser.parse_args().to
    lessons = Lessons()
    learned, bias = lessons.learned([one for one, _ in lessons.written], lessons.untold)
    tell, rest = lessons.apart()
    held = zip(lessons.held, (learned.scores(lessons.held) + bias).tolist(), strict=True)
    least = limits(rules_alone(), tell, [*rest, *held], lambda one: float(learned.scores([one])[0]) + bias)
    kinds = kinds_of([*lessons.told, *lessons.written])
    pairs = sorted(((w, n) for w, n in zip(learned.weights, learned.names, strict=True) if w), reverse=True)
    rows = [f"{name}\t{limit}\t" for name, limit in ((BIAS, round(bias, 3)), (STRONG, ENOUGH))]
    rows += [f"{LOOSE}\t{LEAST_OF_PROMPTS}\t"]
    rows += [f"{RULE}{rule}\t{limit:.2f}\t" for rule, limit in sorted(least.items())]
    rows += [f"{name}\t{weight:.3f}\t{kinds.get(name, '')}" for weight, name in pairs]
    to.write_text("\n".join([*_HEAD, *rows]) + "\n")
    print(f"{len(pairs)} weights, {len(least)} limits of rules")


_HEAD: Final = (
    "# What words and pairs of words weigh in a sentence, and how much a sentence must weigh for some rules.",
    "# `^` and `$` are a sentence's beginning and end, `0` any number; words stand without their endings.",
    "# Learned by scripts/learn_weights.py; a line may be changed, added or taken out by hand.",
)


if __name__ == "__main__":
    main()
