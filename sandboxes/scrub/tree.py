"""JSON values: members by name, texts by rules, JSON within texts; shape and numbers stay."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sandboxes.errors import ScrubError
from sandboxes.scrub.fields import normal_name
from sandboxes.scrub.layout import NAMING, VALUES
from sandboxes.scrub.model import Change, Place
from sandboxes.scrub.rules import FieldRule, TextRule
from sandboxes.scrub.view import view_of

if TYPE_CHECKING:
    from sandboxes.scrub.scrubber import Scrubber

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

_DEPTH = 128
_RECORDS = 3  # of those that a member stands in, the innermost
_SHORT = 80  # characters of a text that says what a record is about


class Tree:
    """Scrubs one JSON value and gathers what was found."""

    def __init__(self, scrubber: "Scrubber", place: Place) -> None:
        self._scrubber = scrubber
        self._place = place
        self.changes: list[Change] = []
        self._records: list[Mapping[str, JsonValue]] = []

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
        rule = self._rule(str(value).lower(), path)
        none = type(value)(0)
        if rule is None or value == none:
            return value
        put = self._scrubber.put(str(none).lower(), self._place)
        self.changes.append(Change(rule.kind, rule.id, 0, len(str(value)), str(value), put))
        return value if put is None else none

    def _rule(self, text: str, path: tuple[str, ...]) -> FieldRule | TextRule | None:
        if not path:
            return None
        rule = self._scrubber.pack.told(path, view_of(text).data, self._record)
        return None if rule is None or self._scrubber.kept(rule.kind, self._place) else rule

    def _record(self) -> bytes:
        """The words of the record that a member stands in, and of those that this stands in."""
        return b" ".join(map(_words_of, self._records[-_RECORDS:]))

    def _members(self, value: Mapping[str, JsonValue], path: tuple[str, ...], depth: int) -> JsonValue:
        told: dict[str, JsonValue] = {}
        called = _called(value)
        self._records.append(value)
        for name, item in value.items():
            told[self._name(name, told)] = self.value(item, _inner(path, name, called), depth + 1)
        self._records.pop()
        return told

    def _name(self, name: str, told: Mapping[str, JsonValue]) -> str:
        seen = self._scrubber.text(name, self._place)
        tells = any(change.kind is None for change in seen.changes) or self._place is Place.HEADER
        if not seen.changes or not (tells or self._place is Place.SYSTEM):
            return name
        self.changes += seen.changes
        new, count = seen.value or "name", 1
        while new in told:
            count += 1
            new = f"{seen.value or 'name'}-{count}"
        return new

    def _text(self, text: str, path: tuple[str, ...], depth: int) -> str:
        if text[:1] in ("{", "[") and text[-1:] in ("}", "]"):
            inner = self._nested(text, path, depth)
            if inner is not None:
                return inner
        return self._field(text, path) if path else self._plain(text)

    def _nested(self, text: str, path: tuple[str, ...], depth: int) -> str | None:
        try:
            parsed = json.loads(text)
        except (ValueError, RecursionError):
            return None
        seen = self.value(parsed, path, depth + 1)
        if seen == parsed:
            return text
        spaced = ": " in text or "\n" in text
        indent = 2 if "\n" in text else None
        return json.dumps(
            seen, ensure_ascii=text.isascii(), indent=indent, separators=None if spaced else (",", ":")
        )

    def _field(self, text: str, path: tuple[str, ...]) -> str:
        rule = self._rule(text, path)
        if rule is None or text in ("", rule.put):
            return self._plain(text)
        put = self._scrubber.put(rule.put, self._place)
        self.changes.append(Change(rule.kind, rule.id, 0, len(text), text, put))
        if put is not None:
            return put
        seen = self._scrubber.text(text, self._place)
        self.changes += [change for change in seen.changes if change.kind is None]
        return seen.value

    def _plain(self, text: str) -> str:
        seen = self._scrubber.text(text, self._place)
        self.changes += seen.changes
        return seen.value


def _words_of(record: Mapping[str, JsonValue]) -> bytes:
    """Names and short texts of a record; names and ids as words."""
    texts = (text for text in record.values() if isinstance(text, str) and len(text) <= _SHORT)
    return " ".join([*map(normal_name, record), *texts]).replace("_", " ").encode("ascii", "replace")


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
