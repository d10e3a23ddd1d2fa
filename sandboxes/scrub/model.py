"""What is scrubbed, where, and what was found. Values only."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from profiles.context import ContextRules, StatusKind, Treatment

T = TypeVar("T")


class Place(StrEnum):
    """Where a text stands on its way to an agent or its model."""

    SYSTEM = "system"  # a system prompt: every kind is replaced
    HEADER = "header"  # a header of HTTP, or a member of an envelope: every kind is replaced
    MESSAGE = "message"  # what the agent sends to its model
    RESULT = "result"  # what a tool, a resource or a prompt answered
    DEFINITION = "definition"  # what an upstream says of its tools


NAMES: Final = (StatusKind.VARIABLE, StatusKind.HEADER)
"""The kinds of what tells by a name, whatever its value is."""


@dataclass(frozen=True, slots=True)
class OwnValue:
    """A value of this deployment that nobody inside may see, wherever it stands.

    Attributes:
        what: what it is, for the record: `run`, `deployment`, `model`, `image`, `node`.
        value: the value itself; found in any letter case, as a whole word.
        put: what stands in its place. It is the same for every deployment and every run, so that it tells
            nothing; in arguments on the way back it becomes the value again.
    """

    what: str
    value: str
    put: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was found.

    Attributes:
        kind: what it tells; None for one of the deployment's own values.
        rule: the rule that found it, or what the own value is.
        start: where it begins in the text, in characters; in nested or encoded text, in that text.
        end: where it ends.
        found: the text itself. It may be an agent's: it belongs into encrypted payloads only.
        put: what stands there now; None where it was only flagged.
    """

    kind: StatusKind | None
    rule: str
    start: int
    end: int
    found: str
    put: str | None


@dataclass(frozen=True, slots=True)
class Scrubbed(Generic[T]):
    """A text or a JSON value as it may be seen.

    Attributes:
        value: as it may be seen.
        changes: what was found, in order.
        held: whether a person must see it first.
    """

    value: T
    changes: tuple[Change, ...] = ()
    held: bool = False

    @property
    def replaced(self) -> Mapping[str, int]:
        """How much was replaced, by kind; `own` for the deployment's own values."""
        return Counter(_name(change) for change in self.changes if change.put is not None)

    @property
    def flagged(self) -> Mapping[str, int]:
        """How much was found and left, by kind."""
        return Counter(_name(change) for change in self.changes if change.put is None)


def treatment_of(place: Place, rules: ContextRules) -> Treatment:
    """Return what is done with general kinds at a place."""
    match place:
        case Place.SYSTEM | Place.HEADER:
            return Treatment.REPLACE
        case Place.MESSAGE:
            return rules.messages
        case Place.RESULT:
            return rules.results
        case Place.DEFINITION:
            return Treatment.REPLACE if rules.definitions is Treatment.HOLD else rules.definitions


def _name(change: Change) -> str:
    return "own" if change.kind is None else change.kind.value
