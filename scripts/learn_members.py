"""Learn the weights of names, values and records by which members of JSON are told that no rule knows.

    python -m scripts.learn_members

reads records written to be learned from (`tests/corpus/scrub/records`) and the JSON of the seen half of the
scrubber's corpus, and writes `sandboxes/scrub/members.tsv`. It does not read the other halves. How good the
result is, is told by `python -m bench.scrub_corpus`.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from profiles.context import StatusKind
from sandboxes.scrub.members import SHIPPED
from sandboxes.scrub.pack import Pack
from sandboxes.scrub.view import view_of
from scripts.member_cases import Case, Member, documents, features_of, seen, written
from scripts.regression import Learned
from scripts.rule_limits import least_of
from scripts.weight_texts import rules_alone

MOST_TOLD: Final = 0.008  # share of ordinary members that may tell
PRICE: Final = 0.05  # what an ordinary member costs that is found, in members that tell and are not found
MOST_ASKED: Final = 0.0  # of a member that a rule finds
MARGIN: Final = 0.75  # by which less is asked: members of records by other hands weigh less
ENOUGH: Final = 5  # members that tell in which a rule must find something; of fewer, nothing is concluded
FOLDS: Final = 4


def learned(cases: Sequence[Case]) -> Learned[Member]:
    """Learn from cases."""
    tell = [(member, case.kind) for case in cases if case.kind for member in case.told]
    return Learned(
        tell, [one for case in cases for one in case.rest], features_of, most=8_000, most_of_kind=2_000
    )


class Apart:
    """What comes out where members are weighed by weights that were learned without them.

    Attributes:
        limits: the least weights of the rules of fields that find anything ordinary.
        biases: for anything and for each kind, by which few ordinary members tell.
    """

    def __init__(self, cases: Sequence[Case], always: Sequence[Case], pack: Pack) -> None:
        """Learn from most of some cases, and weigh the others, until each was weighed."""
        self._found: dict[bool, dict[str, list[float]]] = {True: defaultdict(list), False: defaultdict(list)}
        biases: dict[StatusKind | None, float] = defaultdict(float)
        for fold in range(FOLDS):
            mine = cases[fold::FOLDS]
            others = [case for place, case in enumerate(cases) if place % FOLDS != fold]
            model = learned([*others, *always])
            here = model.biases([one for case in mine for one in case.rest], MOST_TOLD)
            for kind, bias in here.items():
                biases[kind] += bias / FOLDS
            for case in mine:
                self._weigh(model, here[None], pack, case)
        self.biases = dict(biases)
        good, bad = self._found[True], self._found[False]
        told = [rule for rule in bad if len(good[rule]) >= ENOUGH]
        found = {r: least_of(sorted(good[r]), sorted(bad[r]), PRICE, MOST_ASKED) for r in told}
        self.limits = {rule: least - MARGIN for rule, least in found.items()}

    def _weigh(self, model: Learned[Member], bias: float, pack: Pack, case: Case) -> None:
        for tells, members in ((True, case.told), (False, case.rest)):
            for member, score in zip(members, model.scores(members) + bias, strict=True):
                for rule in _rules_at(pack, member):
                    self._found[tells][rule].append(float(score))


def _rules_at(pack: Pack, member: Member) -> list[str]:
    found = pack.fields_of(member.path, view_of(member.value).data, lambda: member.record.words)
    return [rule.id for rule in found]


def main() -> None:
    """Learn, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=SHIPPED)
    to: Path = parser.parse_args().to
    cases, always = [*written()], [*seen(), *documents()]
    Random(1).shuffle(cases)  # noqa: S311 - an order
    apart = Apart(cases, always, rules_alone())
    rows = learned([*cases, *always]).lines({}, apart.limits, apart.biases)
    to.write_text("\n".join([*_HEAD, *rows]) + "\n")
    print(f"{len(rows)} weights, {len(apart.limits)} of them limits of rules")


_HEAD: Final = (
    "# What words of a member's name, of what it stands in, of its value, and beside it in its record weigh.",
    "# `^` and `$` are the beginning and end of a name or value, `0` any number; words are without endings.",
    "# Learned by scripts/learn_members.py; a line may be changed, added or taken out by hand.",
)


if __name__ == "__main__":
    main()
