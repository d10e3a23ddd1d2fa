"""JSON values: members by name, texts by rules, JSON within texts; shape and numbers stay."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from sandboxes.errors import ScrubError
from sandboxes.scrub.changes import apply
from sandboxes.scrub.fields import normal_name
from sandboxes.scrub.layout import NAMING, VALUES
from sandboxes.scrub.members import Record
from sandboxes.scrub.model import NAMES, Change, Place, Scrubbed
from sandboxes.scrub.numbers import read, written
from sandboxes.scrub.rules import FieldRule, TextRule

if TYPE_CHECKING:
    from sandboxes.scrub.scrubber import Scrubber

Rule = TypeVar("Rule", bound=FieldRule | TextRule)
JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

_DEPTH = 128
_ALL_NAMES = (Place.SYSTEM, Place.HEADER)


class Tree:
    """Scrubs one JSON value and gathers what was found."""

    def __init__(self, scrubber: "Scrubber", place: Place) -> None:
        self._scrubber = scrubber
        self._place = place
        self.changes: list[Change] = []
        self._record = Record({})

    def value(self, value: JsonValue, path: tuple[str, ...] = (), depth: int = 0) -> JsonValue:
        """Return a value as it may be seen.

        Raises:
            ScrubError: it is nested too deeply.
        """
        if depth > _DEPTH:
            raise ScrubError(f"a JSON value is nested deeper than {_DEPTH}; it was not scrubbed")
        if isinstance(value, str):
            return self._text(value, path, depth)
        if isinstance(value, int | float):
            return self._number(value, path)
        if isinstance(value, Mapping):
            return self._members(value, path, depth)
        if isinstance(value, Sequence):
            return [self.value(item, path, depth + 1) for item in value]
        return value

    def _number(self, value: bool | float, path: tuple[str, ...]) -> JsonValue:
        """Numbers and truths keep their type: schemas of tools go on holding."""
        text, none = str(value).lower(), type(value)(0)
        rule = self._rule(text, path) or self._weighed(text, path)
        if rule is None or value == none:
            return value
        put = self._scrubber.put(str(none).lower(), self._place)
        self.changes.append(Change(rule.kind, rule.id, 0, len(str(value)), str(value), put))
        return value if put is None else none

    def _rule(self, text: str, path: tuple[str, ...]) -> FieldRule | TextRule | None:
        """The rule of a member's name that says something of its value here."""
        return self._here(self._scrubber.pack.told(path, text, self._record)) if path else None

    def _weighed(self, text: str, path: tuple[str, ...]) -> FieldRule | None:
        """The rule by which a member tells that no rule knows."""
        return self._here(self._scrubber.pack.weighed_member(path, text, self._record)) if path else None

    def _here(self, rule: Rule | None) -> Rule | None:
        if rule is None or self._place not in rule.where or self._scrubber.kept(rule.kind, self._place):
            return None
        return rule

    def _members(self, value: Mapping[str, JsonValue], path: tuple[str, ...], depth: int) -> JsonValue:
        told: dict[str, JsonValue] = {}
        called, taken = _called(value), set(value)
        outer = self._record
        self._record = Record(value, outer)
        for name, item in value.items():
            told[self._name(name, taken)] = self.value(item, _inner(path, name, called), depth + 1)
        self._record = outer
        return told

    def _name(self, name: str, taken: set[str]) -> str:
        """The name of a member as it may be seen: in results only own values, variables and headers go.

        No two are called alike: a new name is none of those that are `taken`, and is from then on.
        """
        seen = self._scrubber.text(name, self._place)
        all_go = self._place in _ALL_NAMES or any(change.kind is None for change in seen.changes)
        changes = [change for change in seen.changes if all_go or _is_name(change, name)]
        self.changes += changes
        put = (apply(name, changes) or "name") if changes else name
        new, number = put, len(taken)
        while new in taken and put != name:
            new, number = f"{put}-{number}", number + 1
        taken.add(new)
        return new

    def _text(self, text: str, path: tuple[str, ...], depth: int) -> str:
        if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
            inner = self._nested(text, path, depth)
            if inner is not None:
                return inner
        return self._field(text, path) if path else self._plain(text)

    def _nested(self, text: str, path: tuple[str, ...], depth: int) -> str | None:
        try:
            parsed = read(text, _once)
        except (ValueError, RecursionError):
            return None
        seen = self.value(parsed, path, depth + 1)
        return text if seen == parsed else written(seen, text)

    def _field(self, text: str, path: tuple[str, ...]) -> str:
        rule = self._rule(text, path)
        return self._plain(text, path) if rule is None or text in ("", rule.put) else self._put(rule, text)

    def _plain(self, text: str, path: tuple[str, ...] = ()) -> str:
        seen = self._scrubber.text(text, self._place)
        known = not text or any(change.kind is not None for change in seen.changes)
        rule = None if known else self._weighed(text, path)
        if rule is not None:
            return self._put(rule, text, seen)
        self.changes += seen.changes
        return seen.value

    def _put(self, rule: FieldRule | TextRule, text: str, seen: Scrubbed[str] | None = None) -> str:
        """What stands for a value that tells; where it is only flagged, the value without own values."""
        put = self._scrubber.put(rule.put, self._place)
        self.changes.append(Change(rule.kind, rule.id, 0, len(text), text, put))
        if put is not None:
            return put
        seen = seen or self._scrubber.text(text, self._place)
        self.changes += [change for change in seen.changes if change.kind is None]
        return seen.value


def _once(members: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Return members as a map; of two of one name only the last would be seen (RFC 8259, section 4)."""
    told = dict(members)
    if len(told) < len(members):
        raise ValueError("two members have one name")
    return told


def _is_name(change: Change, name: str) -> bool:
    """Whether a name as a whole is one that tells by itself: no schema knows it."""
    return change.kind in NAMES and change.end - change.start == len(name)


def _called(value: Mapping[str, JsonValue]) -> str | None:
    """The name that a member of a list of names and values gives to its value."""
    members = {normal_name(name): item for name, item in value.items()}
    named = (members.get(name) for name in NAMING)
    return next((name for name in named if isinstance(name, str)), None)


def _inner(path: tuple[str, ...], name: str, called: str | None) -> tuple[str, ...]:
    """The path of a member; a value is called as what it is the value of."""
    if normal_name(name) not in VALUES:
        return (*path, name)
    if called is not None:
        return (*path, called)
    return path or (name,)


def restored_tree(value: JsonValue, restored: Callable[[str], str]) -> JsonValue:
    """Return a value with every text in it, names of members too, put through a function."""
    if isinstance(value, str):
        return restored(value)
    if isinstance(value, Mapping):
        return {restored(name): restored_tree(item, restored) for name, item in value.items()}
    if isinstance(value, Sequence):
        return [restored_tree(item, restored) for item in value]
    return value
