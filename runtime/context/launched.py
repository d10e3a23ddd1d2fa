"""What an operator's words at a launch leave in the record: what of them tells, and where they stand.

They are shown as they were written (R-19): each finding is counted for its item of the ledger of context in
the open part of the run's request, and kept with the text that was found in the encrypted one (R-60). Pure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from runtime.canonical import JsonValue
from sandboxes.context import ItemKind
from sandboxes.lint.finding import Finding, counts
from sandboxes.lint.shown import ARGUMENT, TASK

_PROMPT = f"{ItemKind.PROMPT.value}:TASK"
_ARGUMENT = f"{ItemKind.ARGUMENT.value}:"
Place = tuple[str | int, ...]
"""Where something stands in a payload: keys, and places in lists."""


def added(told: Sequence[Finding], command: Sequence[str]) -> dict[str, int]:
    """Return how much the launch added that tells, by kind: its task, and a command that it named itself."""
    return counts([one for one in told if command or one.where == TASK])


def flagged(told: Sequence[Finding]) -> dict[str, JsonValue]:
    """Return how much of each item tells, by the item's source in the ledger of context, and by kind."""
    return {source: dict(counts(found)) for source, found in _by_source(told).items()}


def scrubbed(told: Sequence[Finding]) -> dict[str, JsonValue]:
    """Return what tells in each item: rule, text found, and nothing put in its place."""
    return {
        source: [[one.rule, one.found, None] for one in found] for source, found in _by_source(told).items()
    }


def place_of(source: str) -> Place | None:
    """Return where in the payload of a request an item of the release stands; None for any other."""
    if source == _PROMPT:
        return ("task",)
    number = source.removeprefix(_ARGUMENT)
    return ("command", int(number)) if number != source and number.isdecimal() else None


def is_of_the_profile(place: Place, payload: Mapping[str, JsonValue]) -> bool:
    """Whether the launch did not name this itself: an argument, where the profile's own command was run."""
    return place[0] == "command" and payload.get("command") == []


def kept_at(payload: Mapping[str, JsonValue], place: Place) -> JsonValue:
    """Return what stands at a place of a payload; None where nothing does."""
    value: JsonValue = payload
    for step in place:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def changes_of(payload: Mapping[str, JsonValue], source: str) -> Sequence[JsonValue]:
    """Return what was scrubbed of one item; a request keeps it for each of its items."""
    told = payload.get("scrubbed")
    told = told.get(source) if isinstance(told, Mapping) else told
    return told if isinstance(told, Sequence) and not isinstance(told, str) else ()


def _by_source(told: Sequence[Finding]) -> dict[str, list[Finding]]:
    found: defaultdict[str, list[Finding]] = defaultdict(list)
    for one in told:
        found[_source(one.where)].append(one)
    return dict(found)


def _source(where: str) -> str:
    return _PROMPT if where == TASK else f"{_ARGUMENT}{where.removeprefix(ARGUMENT)}"
