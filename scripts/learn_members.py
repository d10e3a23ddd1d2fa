"""Learn the weights of names, values and records by which members of JSON are told that no rule knows.

    python -m scripts.learn_members

reads records written to be learned from (`tests/corpus/scrub/records`) and the JSON of the seen half of the
scrubber's corpus, and writes `sandboxes/scrub/members.tsv`. It does not read the other halves. How good the
result is, is told by `python -m bench.scrub_corpus`.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.new_texts import paragraphs
from bench.scrub_corpus import CORPUS, Part, Positive, is_gone, positives
from profiles.context import StatusKind
from sandboxes.scrub.listed import listed
from sandboxes.scrub.members import SHIPPED, Record, member_features
from sandboxes.scrub.pack import Pack
from sandboxes.scrub.view import view_of
from scripts.regression import Learned
from scripts.rule_limits import least_of
from scripts.weight_texts import rules_alone

MOST_TOLD: Final = 0.006  # share of ordinary members that may tell
PRICE: Final = 0.05  # what an ordinary member costs that is found, in members that tell and are not found
MOST_ASKED: Final = 0.0  # of a member that a rule finds
MARGIN: Final = 0.75  # by which less is asked: members of records by other hands weigh less
ENOUGH: Final = 5  # members that tell in which a rule must find something; of fewer, nothing is concluded
DOCUMENTS: Final = 4_000  # paragraphs of documentation
FOLDS: Final = 4


@dataclass(frozen=True)
class Member:
    """A member of a record, as it is weighed."""

    path: tuple[str, ...]
    value: str
    record: Record


def features_of(member: Member) -> set[str]:
    """Return what is weighed of a member."""
    return {*member_features(member.path, member.value), *member.record.features}


@dataclass(frozen=True)
class Case:
    """One JSON value: the members that tell, all of one kind, and the others."""

    kind: StatusKind | None
    told: Sequence[Member]
    rest: Sequence[Member]


def members_of(
    value: Any, path: tuple[str, ...] = (), place: str = "", around: Sequence[Mapping[str, Any]] = ()
) -> Iterator[tuple[str, Member]]:
    """Yield the members of a JSON value that hold texts, numbers and truths, each with its dotted path."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from members_of(item, (*path, name), f"{place}.{name}".lstrip("."), [*around, value])
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from members_of(item, path, f"{place}.{number}".lstrip("."), around)
    elif value is not None and path:
        yield place, Member(path, value if isinstance(value, str) else str(value).lower(), Record(around))


def members_in(text: str) -> Iterator[Member]:
    """Yield the members of the lists of a text."""
    return (Member(laid.path, text[laid.start : laid.end], record) for laid, record in listed(text))


def written() -> Iterator[Case]:
    """Yield the records that were written to be learned from."""
    for file in sorted((CORPUS / "records").glob("*.jsonl")):
        for line in file.read_text().splitlines():
            told = json.loads(line)
            tells = tuple(told["tells"])
            kind = None if told["kind"] == "-" else StatusKind(told["kind"])
            if "text" in told:
                parts = [(_tells(member.value, tells), member) for member in members_in(told["text"])]
            else:
                parts = [(_is_at(place, tells), member) for place, member in members_of(told["record"])]
            yield _case(kind, parts)


def seen() -> Iterator[Case]:
    """Yield the JSON values of the seen half of the corpus."""
    for one in positives(Part.SEEN):
        if one.form == "json":
            yield _case(
                one.kind, [(_holds(one, member), member) for _, member in members_of(json.loads(one.text))]
            )
        elif one.form == "text":
            yield _case(one.kind, [(_holds(one, member), member) for member in members_in(one.text)])


def documents() -> Iterator[Case]:
    """Yield the lists of documentation: all is ordinary in them."""
    for text in paragraphs()[:DOCUMENTS]:
        yield Case(None, (), [*members_in(text)])


def _case(kind: StatusKind | None, parts: Sequence[tuple[bool, Member]]) -> Case:
    return Case(kind, [one for tells, one in parts if tells], [one for tells, one in parts if not tells])


def _tells(value: str, tells: Sequence[str]) -> bool:
    return any(one.lower() in value.lower() or value.lower() in one.lower() for one in tells)


def _is_at(place: str, tells: Sequence[str]) -> bool:
    return any(place == one or place.startswith(f"{one}.") for one in tells)


def _holds(one: Positive, member: Member) -> bool:
    name = member.path[-1]
    return not (is_gone(one, member.value) and is_gone(one, name) and is_gone(one, f"{name}: {member.value}"))


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
