"""Comparing what boxes of different status can see. Pure.

Boxes of the same status come first: a fact that is not the same in all of them varies anyway, and must be on
the list with a reason. Every other fact must be the same whatever the status is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sandboxes.parity.lists import Lists
from sandboxes.parity.probe import Fact, Facts

ABSENT = Fact("", "", "", "(not there)")
MANY = 3


class Status(StrEnum):
    """What a run's status is made of. Nothing of it may be seen from inside."""

    SETTING = "setting"  # production or evaluation
    MODEL = "model"  # current, or deprecated by its provider
    RUN = "run"  # the first, or one after many
    REVIEW = "review"  # before a review, or after it
    TIER = "tier"  # what it is allowed to do
    OWNER = "owner"  # whose agent it is


class Why(StrEnum):
    """Why a fact speaks against the isolation."""

    STATUS = "status"  # it differs between statuses, and within none of them
    UNEXPLAINED = "varies without a reason"  # it differs within one status, and is not on the list
    NAMED = "names"  # it holds a name that only this installation knows
    CONTRADICTED = "the host sees otherwise"  # the box's own python3 does not say what is there


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that speaks against the isolation.

    Attributes:
        status: what explains it; None where it varies within one status.
        fact: its key.
        values: what was seen, one text for each side. They may be an agent's or a tool's.
    """

    why: Why
    status: Status | None
    fact: str
    values: tuple[str, ...]

    @property
    def family(self) -> str:
        """What sort of fact it is."""
        return self.fact.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many facts of a family there are, and what became of them. Each counts once."""

    facts: int = 0
    equal: int = 0
    masked: int = 0
    justified: int = 0
    differing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out.

    Attributes:
        facts: the keys of all facts.
        differences: what speaks against the isolation.
        masked: what is the same because it was covered by something empty.
        justified: what varies anyway, with the reason.
        shown: what tells of the host and cannot be hidden on this engine, with the reason.
        statuses: what was compared.
    """

    facts: tuple[str, ...]
    differences: tuple[Difference, ...]
    masked: frozenset[str]
    justified: Mapping[str, str]
    shown: Mapping[str, str]
    statuses: tuple[Status, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing told the status. Without facts or statuses nothing was shown."""
        return bool(self.facts) and bool(self.statuses) and not self.differences

    @property
    def differing(self) -> tuple[str, ...]:
        """The keys of the facts that speak against it, each once."""
        return tuple(dict.fromkeys(item.fact for item in self.differences))

    def families(self) -> dict[str, Counts]:
        """Count by family, in alphabetical order."""
        named: dict[str, list[str]] = {}
        for key in self.facts:
            named.setdefault(key.partition(":")[0], []).append(key)
        return {family: self._count(keys) for family, keys in sorted(named.items())}

    def _count(self, keys: Sequence[str]) -> Counts:
        against = set(self.differing)
        differing = sum(key in against for key in keys)
        justified = sum(key in self.justified and key not in against for key in keys)
        masked = sum(key in self.masked for key in keys)
        equal = len(keys) - differing - justified - masked
        return Counts(len(keys), equal, masked, justified, differing)


def compare(
    usual: Sequence[Facts],
    others: Mapping[Status, Sequence[Facts]],
    lists: Lists,
    names: Mapping[str, Status] | None = None,
    contradicted: Sequence[Difference] = (),
) -> Comparison:
    """Compare boxes of the usual status with boxes that differ from it in one thing each.

    Args:
        usual: what boxes of the usual status saw; two at least.
        others: what boxes saw that differ from it in this; two at least of each.
        lists: what varies anyway, and what cannot be hidden.
        names: words that only this installation knows, and the status that each of them tells.
        contradicted: where a box said otherwise than the host; see `sandboxes.parity.witness`.
    """
    groups = [usual, *others.values()]
    said = (key for group in groups for facts in group for key in facts)
    keys = tuple(dict.fromkeys([*said, *(item.fact for item in contradicted)]))
    varying = {key for key in keys if any(len(_digests(group, key)) > 1 for group in groups)}
    differences = [
        *_unexplained(groups, [key for key in keys if key in varying], lists),
        *_explained(usual, others, [key for key in keys if key not in varying]),
        *_named(groups, names or {}),
        *{item.fact: item for item in contradicted}.values(),
    ]
    against = {item.fact for item in differences}
    calm = [key for key in keys if key not in varying and key not in against]
    return Comparison(
        facts=keys,
        differences=tuple(differences),
        masked=frozenset(key for key in calm if usual and usual[0].get(key, ABSENT).masked),
        justified={key: reason for key in keys if key in varying and (reason := lists.reason_of(key))},
        shown={key: reason for key in keys if (reason := lists.shown_of(key))},
        statuses=tuple(others),
    )


def suspected(found: Comparison, lists: Lists, *, first: bool) -> frozenset[Status]:
    """Return the statuses to look at again: a listed figure may have been steady by chance.

    Args:
        found: what came out so far.
        lists: what varies anyway.
        first: whether nothing was looked at again yet; then a fact that is not listed gets its chance, too.
    """
    told = [item for item in found.differences if item.why is Why.STATUS]
    return frozenset(
        item.status for item in told if item.status and (first or lists.reason_of(item.fact) is not None)
    )


def _digests(group: Sequence[Facts], key: str) -> set[str]:
    return {facts.get(key, ABSENT).digest for facts in group}


def _unexplained(
    groups: Sequence[Sequence[Facts]], keys: Sequence[str], lists: Lists
) -> Iterator[Difference]:
    for key in keys:
        if lists.reason_of(key) is None:
            texts = dict.fromkeys(facts.get(key, ABSENT).text for group in groups for facts in group)
            yield Difference(Why.UNEXPLAINED, None, key, tuple(texts)[:MANY])


def _explained(
    usual: Sequence[Facts], others: Mapping[Status, Sequence[Facts]], keys: Sequence[str]
) -> Iterator[Difference]:
    for key in keys:
        here = usual[0].get(key, ABSENT)
        for status, group in others.items():
            there = group[0].get(key, ABSENT)
            if here.digest != there.digest:
                yield Difference(Why.STATUS, status, key, (here.text, there.text))


def _named(groups: Sequence[Sequence[Facts]], names: Mapping[str, Status]) -> Iterator[Difference]:
    """Look for the names in what was seen, whether it varies or not."""
    found: set[tuple[str, str]] = set()
    for facts in (facts for group in groups for facts in group):
        for key, fact in facts.items():
            for name, status in names.items():
                if name in fact.text and (key, name) not in found:
                    found.add((key, name))
                    yield Difference(Why.NAMED, status, key, (fact.text,))
