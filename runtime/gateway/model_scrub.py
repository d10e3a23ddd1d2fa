"""Scrubbing of model calls: what goes to the model, and what comes back to the agent.

- system prompts: every kind of status is replaced;
- messages, results of tools in them, definitions of tools: as the profile says; `hold` waits for a person,
  who is asked once for each text;
- answers: as the profile says of results, and what would be held is replaced, since a call cannot run twice;
- the run's own values are replaced everywhere, and in answers also the name that the provider gave its model.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from profiles.context import ContextRules, StatusKind, Treatment
from profiles.schema import ModelSpec
from runtime.context.note import ContextNote, Taint
from runtime.context.scrubbing import RunScrubber, kinds_in, note_of
from runtime.gateway.model_reply import IDS
from runtime.gateway.model_seal import Seal
from runtime.gateway.model_walk import Hands, bare, definitions, walk, without_emptied
from sandboxes.constants import REFUSED_TEXT
from sandboxes.scrub.model import Change, OwnValue, Place
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.stream import Stream

ANSWERED_MODEL: Final = "model-hwfkzqye"
"""Stands in an answer where the name stood that the provider gave its model."""
_SYSTEM: Final = frozenset({"system", "instructions"})
_MESSAGES: Final = frozenset({"messages", "input", "prediction"})
_TOOLS: Final = frozenset({"tools", "functions", "response_format", "output_config", "output_format", "text"})
_AS_IT_IS: Final = frozenset({"model"})
_BARE: Final = ContextRules(keep=tuple(StatusKind))
_ENCODED: Final = frozenset({"signature", "encrypted_content", "embedding", "data"})
_THOUGHTS: Final = 64
_RECURRING: Final = 64  # characters of a name or a value that may come again
_REMEMBERED: Final = 512
_SHORTEST: Final = 5  # characters; shorter ones stand in an id by chance
_LONGEST_THOUGHT: Final = 262_144  # characters


@dataclass(frozen=True)
class Asked:
    """A request as it may be sent.

    Attributes:
        sent: the request.
        changes: what was found in it.
        told: kinds that a person must see first.
        waiting: digests of the texts that tell them.
    """

    sent: dict[str, Any]
    changes: tuple[Change, ...] = ()
    told: tuple[StatusKind, ...] = ()
    waiting: frozenset[bytes] = frozenset()


@dataclass
class _Found:
    changes: list[Change] = field(default_factory=list)
    told: list[Change] = field(default_factory=list)
    waiting: set[bytes] = field(default_factory=set)


class ModelScrub:
    """Scrubs one run's model calls.

    It remembers what a person let pass, and the latest thoughts that the model had otherwise than shown.
    """

    def __init__(self, run: RunScrubber, rules: ContextRules, spec: ModelSpec) -> None:
        """Begin.

        Args:
            run: the run's scrubber, whose own values may become more.
            rules: the profile's `context`.
            spec: the model, its name and its alias.
        """
        self._run = run
        self._rules = rules
        self._alias = spec.alias
        self._name = spec.name
        self._passed: set[bytes] = set()
        self._learned: tuple[OwnValue, ...] = ()
        self._thoughts: dict[bytes, str] = {}
        self._seal = Seal()
        self._build()
        self.learn(spec.name)

    def learn(self, named: str) -> None:
        """Hide the name that the provider gave its model, wherever an answer says it."""
        known = {own.value.lower() for own in (*self._run.own, *self._learned)}
        if named and named != self._alias and named.lower() not in known:
            self._learned += (OwnValue("model", named, ANSWERED_MODEL),)
            self._build()

    def request(self, body: Mapping[str, Any]) -> Asked:
        """Scrub what goes to the model.

        Raises:
            ScrubError: it cannot be scrubbed, so it may not be sent.
        """
        self._follow()
        found = _Found()

        def words(text: str, place: Place) -> str:
            return self._asked(text, place, found)

        def other(text: str) -> str:
            return self._bare_text(text, found.changes)

        def thought(text: str) -> str:
            had = self._thoughts.get(_digest(text))
            return other(text) if had is None else had

        hands = Hands(words, thought, other, self._seal.open)
        sent = {name: self._member(name, value, hands) for name, value in body.items()}
        return Asked(sent, tuple(found.changes), kinds_in(found.told), frozenset(found.waiting))

    def let_pass(self, seen: frozenset[bytes]) -> None:
        """Remember texts that a person has seen, so that later calls with the same messages need not wait."""
        self._passed |= seen

    def answer(self, value: Any, changes: list[Change]) -> Any:
        """Scrub a whole answer, or a part of one; what was found is added to `changes`.

        Raises:
            ScrubError: it cannot be scrubbed, so it may not be shown.
        """
        self._follow()

        def words(text: str, place: Place) -> str:
            done = self._answers.text(text, place)
            changes.extend(done.changes)
            return done.value

        def other(text: str) -> str:
            return self._bare_text(text, changes)

        def thought(text: str) -> str:
            shown = other(text)
            self.remember(shown, text)
            return shown

        return walk(value, Place.RESULT, Hands(words, thought, other, self._seal.close))

    def remember(self, shown: str, had: str) -> None:
        """Remember a thought as the model had it, so that it goes back so: its provider may have signed it.

        What an agent writes as a thought is none of them: own values are not put into it.
        """
        if shown == had or len(had) > _LONGEST_THOUGHT:
            return
        while len(self._thoughts) >= _THOUGHTS:
            self._thoughts.pop(next(iter(self._thoughts)))
        self._thoughts[_digest(shown)] = had

    def frame(self, value: Any) -> Any:
        """Take the run's own values out of what stands around an answer's words; encoded parts stay."""
        if isinstance(value, str):
            return self._out_of(value)
        if isinstance(value, Mapping):
            return {self._out_of(name): self._framed_member(name, item) for name, item in value.items()}
        return [self.frame(item) for item in value] if isinstance(value, list) else value

    def _framed_member(self, name: str, item: Any) -> Any:
        if name in _ENCODED:
            return item
        if name in IDS and isinstance(item, str):
            return self._in_ids.sub(lambda found: self._puts[found[0].lower()], self._out_of(item))
        return self.frame(item)

    def error(self, text: str) -> str:
        """Return what may be told of a provider's refusal: a constant, if its words tell of any status.

        Raises:
            ScrubError: it cannot be scrubbed, so it may not be shown.
        """
        self._follow()
        done = self._answers.text(text, Place.HEADER)
        if any(change.kind is not None for change in done.changes):
            return REFUSED_TEXT
        return self._answers.text(text.replace(self._name, self._alias), Place.HEADER).value

    def stream(self, *, words: bool) -> Stream:
        """Return a scrubber of one stream: of words, or of what a model thinks or writes for tools."""
        return (self._answers if words else self._bare).stream(Place.RESULT)

    def note(self, shown: Any, changes: list[Change]) -> ContextNote:
        """Return the note of a call: what the agent was shown, and all that was found on both ways."""
        return note_of(f"model:{self._alias}", Taint.MODEL, shown, changes)

    def _member(self, name: str, value: Any, hands: Hands) -> Any:
        if name in _AS_IT_IS:
            return value
        if name in _SYSTEM:
            return without_emptied(value, walk(value, Place.SYSTEM, hands))
        if name in _MESSAGES:
            return walk(value, Place.MESSAGE, hands)
        return definitions(value, hands) if name in _TOOLS else bare(value, hands.other)

    def _asked(self, text: str, place: Place, found: _Found) -> str:
        done = self._requests.json(text, place)
        found.changes += done.changes
        general = [change for change in done.changes if change.kind is not None]
        digest = _digest(text)
        if general and place in self._holding and digest not in self._passed:
            found.told += general
            found.waiting.add(digest)
        return str(done.value)

    def _bare_text(self, text: str, changes: list[Change]) -> str:
        done = self._bare.text(text, Place.RESULT)
        changes.extend(done.changes)
        return done.value

    def _out_of(self, text: str) -> str:
        """Return a text without own values; names and short values come again with every event."""
        seen = self._framed.get(text)
        if seen is None:
            seen = self._bare.text(text, Place.RESULT).value
            if len(text) <= _RECURRING:
                if len(self._framed) >= _REMEMBERED:
                    self._framed.clear()
                self._framed[text] = seen
        return seen

    def _follow(self) -> None:
        """Build anew when the run has come to know more values of its own."""
        if self._run.own is not self._built_for:
            self._build()

    def _build(self) -> None:
        self._built_for = self._run.own
        own = (*self._built_for, *self._learned)
        rules = self._rules
        self._holding = _holding(rules)
        self._requests = Scrubber(own, _instead(rules, Treatment.FLAG), self._run.pack)
        self._answers = Scrubber(own, _instead(rules, Treatment.REPLACE), self._run.pack)
        self._bare = Scrubber(own, _BARE, self._run.pack)
        self._framed: dict[str, str] = {}
        self._puts = {value.value.lower(): value.put for value in own}
        values = sorted(self._puts, key=lambda value: (-len(value), value))
        told = "|".join(re.escape(value) for value in values if len(value) >= _SHORTEST)
        self._in_ids = re.compile(told or "(?!)", re.IGNORECASE)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _holding(rules: ContextRules) -> frozenset[Place]:
    by_place: Mapping[Place, Treatment] = {Place.MESSAGE: rules.messages, Place.RESULT: rules.results}
    return frozenset(place for place, treatment in by_place.items() if treatment is Treatment.HOLD)


def _instead(rules: ContextRules, treatment: Treatment) -> ContextRules:
    """Return rules that treat so what they would hold."""
    held = [name for name in ("messages", "results") if getattr(rules, name) is Treatment.HOLD]
    return rules.model_copy(update=dict.fromkeys(held, treatment))
