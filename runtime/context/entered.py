"""The ledger of context: all that entered an agent's context, read off the record, in order (R-60). Pure.

What an agent is shown stands in the record as it happened: what it was launched with in the entry of its
release, lists, notices and questions in entries of their own, results in the outcomes of its actions. What
was not carried out is answered by a constant, so the decision says what was shown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from profiles.effects import Effect
from profiles.schema import RequestKind
from runtime.canonical import JsonValue
from runtime.context.launched import is_of_the_profile, place_of
from runtime.context.note import Taint
from runtime.context.scrubbing import shown_digest
from runtime.deployments import NO_MEMORY
from runtime.gate.actions import ActionKind
from runtime.gate.replies import UNKNOWN_TOOL_TEXT
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf
from runtime.record.trace import Entry
from sandboxes.constants import INTERNAL_TEXT, PENDING_TEXT, WITHHELD_TEXT
from sandboxes.context import ItemKind

_ASKED_OF_THE_AGENT: Final = frozenset({RequestKind.SAMPLING, RequestKind.ELICITATION, RequestKind.ROOTS})
"""Requests of upstreams: the agent's side is asked, and the upstream is told how it ended."""


@dataclass(frozen=True, slots=True)
class Entered:
    """One thing that entered the context.

    Attributes:
        seq: the entry of the record that says so.
        at: when.
        source: where it came from, under names of the profile only.
        digest: SHA-256 in hex over what was shown.
        taint: whose words they are.
        replaced: how much was replaced, by kind.
        flagged: how much was found and left, by kind.
        text: the thing itself, where it is one of our constants.
        kept: the entry whose payload holds it, where there is one.
        within: where in that payload it stands: keys, and places in lists.
    """

    seq: int
    at: datetime
    source: str
    digest: str
    taint: Taint = Taint.TRUSTED
    replaced: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)
    text: str | None = None
    kept: int | None = None
    within: tuple[str | int, ...] = ("payload",)


def entered(entries: Iterable[Entry]) -> list[Entered]:
    """Return what entered the context of one run, in order.

    Args:
        entries: the entries of that run, in order.
    """
    reading = _Reading()
    for entry in entries:
        reading.take(entry.leaf, entry.payload or {})
    return sorted([*reading.apart, *reading.answers.values()], key=lambda one: one.seq)


class _Reading:
    """What was read so far: things apart from actions, and the present answer of each action."""

    def __init__(self) -> None:
        self.apart: list[Entered] = []
        self.answers: dict[str, Entered] = {}
        self._intents: dict[str, Leaf] = {}
        self._questions: set[str] = set()
        self._carried: dict[str, Entered] = {}
        self._asked: tuple[Leaf, Mapping[str, JsonValue]] | None = None

    def take(self, leaf: Leaf, payload: Mapping[str, JsonValue]) -> None:
        """Read on."""
        if leaf.subject is not None and _is_asked_of_the_agent(leaf, payload):
            self._questions.add(leaf.subject)
        if leaf.subject in self._questions:
            return
        match leaf.kind:
            case EventKind.RUN_REQUESTED:
                self._asked = leaf, payload
                self.apart += _remembered(leaf)
            case EventKind.RUN_RELEASED:
                self.apart += (self._given(one) for one in _released(leaf))
            case EventKind.CONTEXT_SHOWN:
                self.apart.append(_noted(leaf, leaf.data))
            case EventKind.ACTION_DECISION:
                self._answer(leaf, self._withheld(leaf, payload))
            case EventKind.ACTION_INTENT:
                self._intents[leaf.subject or ""] = leaf
                self._answer(leaf, None)
            case EventKind.ACTION_OUTCOME:
                self._outcome(leaf)
            case _:
                pass

    def _given(self, one: Entered) -> Entered:
        """Add to an item of the release what its request kept: the words, and what of them tells."""
        if self._asked is None:
            return one
        leaf, payload = self._asked
        told = leaf.data.get("flagged")
        flagged = _counts(told.get(one.source)) if isinstance(told, Mapping) else {}
        within = place_of(one.source)
        kept = None if within is None or is_of_the_profile(within, payload) else leaf.seq
        return replace(one, flagged=flagged, kept=kept, within=within or one.within)

    def _answer(self, leaf: Leaf, answer: Entered | None) -> None:
        """An action has one answer: what was said of it last. None while it is under way."""
        self.answers.pop(leaf.subject or "", None)
        if answer is not None:
            self.answers[leaf.subject or ""] = answer

    def _withheld(self, leaf: Leaf, payload: Mapping[str, JsonValue]) -> Entered:
        carried = self._carried.get(str(leaf.data.get("hold")))
        if carried is not None:
            return replace(carried, seq=leaf.seq, at=leaf.at)
        if leaf.data.get("action") == ActionKind.TOOL.value and leaf.data.get("name") is None:
            return _unknown_tool(leaf, payload.get("tool"))
        waits = leaf.data.get("answer") == "hold" and leaf.data.get("effect") == Effect.READ.value
        return _constant(leaf, _source(leaf), PENDING_TEXT if waits else WITHHELD_TEXT)

    def _outcome(self, leaf: Leaf) -> None:
        intent = self._intents.get(leaf.subject or "")
        if intent is None:
            return
        answer = _result(leaf, intent)
        hold = intent.data.get("hold")
        if isinstance(hold, str) and intent.data.get("effect") != Effect.READ.value:
            if answer is not None:
                self._carried[hold] = answer  # shown when the agent asks again, if it does
        else:
            self._answer(leaf, answer)


def _remembered(leaf: Leaf) -> Iterator[Entered]:
    memory = leaf.data.get("memory")
    if isinstance(memory, str) and memory != NO_MEMORY:
        yield Entered(leaf.seq, leaf.at, "memory", memory)


def _released(leaf: Leaf) -> Iterator[Entered]:
    items = leaf.data.get("context")
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else ():
        if isinstance(item, Sequence) and len(item) >= 3:  # noqa: PLR2004 - kind, name, digest
            kind, name, digest = (str(part) for part in item[:3])
            if kind != ItemKind.TOOL.value:  # shown by the list of tools, if the agent asks for it
                yield Entered(leaf.seq, leaf.at, f"{kind}:{name}", digest)


def _noted(leaf: Leaf, note: Mapping[str, JsonValue]) -> Entered:
    return Entered(
        leaf.seq,
        leaf.at,
        str(note.get("source")),
        str(note.get("sha256")),
        Taint(str(note.get("taint"))),
        _counts(note.get("replaced")),
        _counts(note.get("flagged")),
        kept=leaf.seq,
    )


def _result(leaf: Leaf, intent: Leaf) -> Entered | None:
    note = leaf.data.get("context")
    if isinstance(note, Mapping):
        return _noted(leaf, note)
    if leaf.data.get("status") == "done":
        return None  # kept back until a person has seen it; the decision beside it says what was shown
    if intent.data.get("action") == ActionKind.MODEL.value:
        return None  # one of several tries, maybe; what was told at last has an entry of its own
    return _constant(leaf, _source(intent), INTERNAL_TEXT)


def _constant(leaf: Leaf, source: str, text: str) -> Entered:
    return Entered(leaf.seq, leaf.at, source, shown_digest(text), text=text)


def _unknown_tool(leaf: Leaf, asked: JsonValue) -> Entered:
    """What is told of a tool that is not there: the name that the agent gave it, while that is kept."""
    if not isinstance(asked, str):
        return Entered(leaf.seq, leaf.at, _source(leaf), "")
    return _constant(leaf, _source(leaf), f"{UNKNOWN_TOOL_TEXT}{asked}")


def _source(leaf: Leaf) -> str:
    kind, name = leaf.data.get("action"), leaf.data.get("name")
    return f"{kind}:{name or 'unknown'}" if kind == ActionKind.TOOL.value else str(kind)


def _is_asked_of_the_agent(leaf: Leaf, payload: Mapping[str, JsonValue]) -> bool:
    """Whether an action is a question of an upstream's; the payload alone names what is not permitted."""
    kind = payload.get("tool")
    return leaf.data.get("action") == ActionKind.REQUEST.value and kind in _ASKED_OF_THE_AGENT


def _counts(value: JsonValue) -> dict[str, int]:
    counted = value.items() if isinstance(value, Mapping) else ()
    return {name: count for name, count in counted if isinstance(count, int)}
