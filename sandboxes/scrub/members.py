"""Members of JSON are weighed, as learned: by their name, their value, and the words of their record.

Everybody names members as they like, and one name stands for an agent's model here and for a car's there.
So a rule of fields that is often wrong finds something only in a record that speaks for it, and a member
tells without any rule where its name, its value and its record say enough. The weights stand in a text
file, as those of sentences do; `scripts/learn_members.py` learns them.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from profiles.context import StatusKind
from sandboxes.scrub.fields import normal_name
from sandboxes.scrub.model import Place
from sandboxes.scrub.rules import FieldRule
from sandboxes.scrub.weighing import features, stem
from sandboxes.scrub.weights import BIAS, Table, read_table

if TYPE_CHECKING:
    from sandboxes.scrub.tree import JsonValue

SHIPPED: Final = Path(__file__).parent / "members.tsv"
_RECORDS: Final = 3  # of those that a member stands in, the innermost
_SHORT: Final = 80  # characters of a text that says what a record is about, and of a value that are weighed
_HOPELESS: Final = -2.0  # what weighs less is not asked for its kind
_MOST_WORDS: Final = 100  # of one record that are weighed, so that long ones are no more work than many
_WORD: Final = re.compile(r"[a-z]+")
_WHERE: Final = tuple(place for place in Place if place is not Place.HEADER)


class Record:
    """A record that members stand in, and those that it stands in; what each says is found out once.

    Attributes:
        outer: the record that it stands in.
    """

    def __init__(self, members: Mapping[str, "JsonValue"], outer: "Record | None" = None) -> None:
        """Take its members, and the record that it stands in."""
        self._members = members
        self.outer = outer

    @cached_property
    def words(self) -> bytes:
        """The words of the records, those of the outermost first."""
        return b" ".join(record.own_words for record in reversed(self._around))

    @cached_property
    def features(self) -> frozenset[str]:
        """What is weighed of them."""
        return frozenset().union(*(record.own_features for record in self._around))

    @property
    def _around(self) -> list["Record"]:
        """The innermost records, itself first."""
        found: list[Record] = []
        record: Record | None = self
        while record is not None and len(found) < _RECORDS:
            found.append(record)
            record = record.outer
        return found

    @cached_property
    def own_words(self) -> bytes:
        """Its names and short texts; names and ids as words."""
        texts = (text for text in self._members.values() if isinstance(text, str) and len(text) <= _SHORT)
        return (
            " ".join([*map(normal_name, self._members), *texts]).replace("_", " ").encode("ascii", "replace")
        )

    @cached_property
    def own_features(self) -> frozenset[str]:
        """What is weighed of it alone."""
        words = _WORD.findall(self.own_words.decode("ascii").lower())
        return frozenset(islice(dict.fromkeys(f"beside {stem(word)}" for word in words), _MOST_WORDS))


class MemberWeigher:
    """Weighs members."""

    def __init__(self, table: Table) -> None:
        """Take the weights."""
        self._bias = table.settings[BIAS]
        self.table = table

    def score(self, path: tuple[str, ...], value: str, record: Record) -> float:
        """Return by how much a member outweighs the bias; below zero it does not.

        Args:
            path: names that it stands in, outermost first; its own is the last.
            value: its value, as text.
            record: the records that it stands in.
        """
        own = self._of_name(path[-2:]) + self._of_value(value[:_SHORT])
        return self._bias + own + self._of_record(record.features)

    def denies(self, rule: str, path: tuple[str, ...], value: str, record: Record) -> bool:
        """Return whether a member speaks against what a rule of fields found in it."""
        least = self.table.least.get(rule)
        return least is not None and self.score(path, value, record) < least

    def rule(self, path: tuple[str, ...], value: str, record: Record) -> FieldRule | None:
        """Return the rule by which a member tells, if it does; long values are texts."""
        score = self.score(path, value, record) if len(value) <= _SHORT else _HOPELESS
        if score <= _HOPELESS:
            return None
        score, kind = self.table.best({*member_features(path, value), *record.features}, score)
        return None if kind is None or score <= 0 else _rule_of(kind)

    @lru_cache(maxsize=4096)  # noqa: B019 packs live as long as the process; names of members come again
    def _of_name(self, path: tuple[str, ...]) -> float:
        return self.table.sum(set(_features_of_name(path)))

    @lru_cache(maxsize=64)  # noqa: B019 as above; of the members of one record each asks
    def _of_record(self, features: frozenset[str]) -> float:
        return self.table.sum(features)

    @lru_cache(maxsize=4096)  # noqa: B019 as above
    def _of_value(self, value: str) -> float:
        return self.table.sum(set(_features_of_value(value)))


def member_features(path: tuple[str, ...], value: str) -> set[str]:
    """Return what is weighed of a member: words and pairs of its name and value, and what it stands in."""
    return {*_features_of_name(path[-2:]), *_features_of_value(value[:_SHORT])}


def _features_of_name(path: tuple[str, ...]) -> Iterator[str]:
    *inside, name = (normal_name(one).replace("_", " ") for one in path)
    yield from (f"name {one}" for one in features(name))
    yield from (f"in {stem(word)}" for one in inside for word in one.split(" "))


def _features_of_value(value: str) -> Iterator[str]:
    return (f"is {one}" for one in features(value))


def read_members(path: Path = SHIPPED) -> MemberWeigher:
    """Return the weights of a file.

    Raises:
        PackError: it cannot be read, or a line is not a feature, a weight and a kind.
    """
    return MemberWeigher(read_table(path, (BIAS,)))


@lru_cache(maxsize=len(StatusKind))
def _rule_of(kind: StatusKind) -> FieldRule:
    """Return the rule that a member of a kind is reported under; envelopes of protocols are left to rules."""
    return FieldRule(
        id=f"weighed-{kind}-member", kind=kind, names=("-",), put="", examples=("-",), where=_WHERE
    )
