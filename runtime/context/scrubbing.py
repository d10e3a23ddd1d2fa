"""A run's scrubber: what passes on its way to an agent, and what is noted of it. Both doors share one.

Whatever cannot be scrubbed is not shown: `ScrubError` goes to the caller, who answers with a constant.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from profiles.context import ContextRules, StatusKind, Treatment
from runtime.canonical import JsonValue
from runtime.context.files import scrubbed_file
from runtime.context.media import put_back, take_out
from runtime.context.note import ContextNote, Taint
from runtime.errors import CanonicalError
from runtime.gate.actions import digest_of
from sandboxes.scrub.model import Change, OwnValue, Place, Scrubbed
from sandboxes.scrub.rulebook import SHIPPED_RULES, Rulebook
from sandboxes.scrub.scrubber import Scrubber

ONE_WAY: Final = frozenset({"path", "installation", "model"})
"""Own values that are not put back in arguments.

Some name Handrail, and an agent that asks for that is stopped; what stands for a model is a common word.
"""

REACHED: Final = "endpoint"
"""Own values that stand in for each other: an evaluation's hosts, under the names of production's."""

_DESCRIBING: Final = frozenset({"description", "title", "instructions"})
"""Members of a definition that are words to be read; all others are names and values that calls depend on."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What an agent may see, and what is noted of it.

    Attributes:
        value: as it may be seen.
        note: what the record keeps.
        held: whether a person must see it first; `value` is then what may be seen without.
    """

    value: JsonValue
    note: ContextNote
    held: bool = False


class RunScrubber:
    """Scrubs for one run. Its own values never pass, whatever the profile says."""

    def __init__(
        self, own: Sequence[OwnValue], rules: ContextRules, rulebook: Rulebook = SHIPPED_RULES
    ) -> None:
        """Build it once for a run.

        Args:
            own: the run's own values.
            rules: the profile's `context`.
            rulebook: what general kinds are found by.
        """
        self.pack = rulebook.pack
        self._own = tuple(own)
        self._rules = rules
        self._told: frozenset[str] = frozenset()
        self._build()

    @property
    def own(self) -> tuple[OwnValue, ...]:
        """The own values as they are known now."""
        return self._own

    @property
    def scrubber(self) -> Scrubber:
        """The engine behind it, for streams and headers. Ask anew for each: it changes with `also`."""
        return self._scrubber

    def also(self, own: Iterable[OwnValue]) -> None:
        """Take values that are known only now, such as the box's id."""
        self._own += tuple(own)
        self._build()

    def result(self, source: str, taint: Taint, value: JsonValue) -> Shown:
        """Scrub what a tool, a resource or a prompt answered; encoded media pass.

        Raises:
            sandboxes.errors.ScrubError: it cannot be scrubbed, so it may not be shown.
        """
        return self._shown(self._scrubber, source, taint, value)

    def released(self, source: str, taint: Taint, value: JsonValue) -> Shown:
        """Scrub a result that a person has let pass: own values are replaced, the rest is flagged."""
        return self._shown(self._flagging, source, taint, value)

    def text(self, source: str, taint: Taint, text: str, place: Place = Place.RESULT) -> Shown:
        """Scrub one text: a notice, a system prompt, a message."""
        done = self._scrubber.text(text, place)
        return Shown(done.value, self._note(source, taint, done.value, done.changes), done.held)

    def json(self, source: str, taint: Taint, value: JsonValue, place: Place) -> Shown:
        """Scrub a whole JSON value."""
        done = self._scrubber.json(value, place)
        return Shown(done.value, self._note(source, taint, done.value, done.changes), done.held)

    def definitions(self, source: str, value: JsonValue, taint: Taint = Taint.UNTRUSTED) -> Shown:
        """Scrub what upstreams say of themselves.

        Own values are replaced everywhere, general kinds only in words to be read: a schema stays as it is.
        """
        changes: list[Change] = []
        shown = self._definition(value, changes)
        return Shown(shown, self._note(source, taint, shown, changes))

    def arguments(self, value: Any) -> Any:
        """Return arguments with those own values put back that this run was shown something in place of.

        What stands in their place is the same in every run, so anybody may know it: a stranger's mail could
        ask an agent to pass it on, and an agent could note it and see in a later run what became of it.
        What is nested too deep to be looked through comes back as it is; the gate denies it.
        """
        return _restored(self._restoring, value)

    def reached(self, value: Any) -> Any:
        """Return arguments as upstreams get them: in an evaluation with the hosts of its endpoints.

        It comes after the decision, which is the same in both settings.
        """
        return _restored(self._reaching, value)

    def _build(self) -> None:
        rules = self._rules
        flagging = rules.model_copy(update={"results": Treatment.FLAG, "definitions": Treatment.FLAG})
        self._scrubber = Scrubber(self._own, rules, self.pack)
        self._flagging = Scrubber(self._own, flagging, self.pack)
        self._reaching = Scrubber([own for own in self._own if own.what == REACHED], rules, self.pack)
        self._build_restoring()

    def _build_restoring(self) -> None:
        back = [own for own in self._own if own.what in self._told - ONE_WAY - {REACHED}]
        self._restoring = Scrubber(back, self._rules, self.pack)

    def _note(self, source: str, taint: Taint, shown: JsonValue, changes: Sequence[Change]) -> ContextNote:
        """Note what is shown, and which sorts of own values the agent knows something in place of."""
        told = self._told.union(change.rule for change in changes if change.kind is None)
        if told != self._told:
            self._told = told
            self._build_restoring()
        return note_of(source, taint, shown, changes)

    def _shown(self, scrubber: Scrubber, source: str, taint: Taint, value: JsonValue) -> Shown:
        bare, media = take_out(value)
        done: list[Scrubbed[Any]] = [scrubber.json(bare, Place.RESULT)]

        def words(text: str) -> str:
            done.append(scrubber.json(text, Place.RESULT))
            return str(done[-1].value)

        def other(text: str) -> str:
            seen = self._flagging.text(text, Place.RESULT)
            done.append(replace(seen, changes=tuple(one for one in seen.changes if one.kind is None)))
            return seen.value

        files = {at: scrubbed_file(item, kind, words, other) for at, (item, kind) in media.items()}
        shown = put_back(done[0].value, files)
        changes = [change for one in done for change in one.changes]
        return Shown(shown, self._note(source, taint, shown, changes), any(one.held for one in done))

    def _definition(self, value: JsonValue, changes: list[Change], member: str = "") -> JsonValue:
        if isinstance(value, str):
            scrubber = self._scrubber if member in _DESCRIBING else self._flagging
            done = scrubber.text(value, Place.DEFINITION)
            changes += done.changes
            return done.value
        if isinstance(value, Mapping):
            return {name: self._definition(item, changes, name) for name, item in value.items()}
        if isinstance(value, Sequence):
            return [self._definition(item, changes) for item in value]
        return value


def _restored(scrubber: Scrubber, value: Any) -> Any:
    try:
        return scrubber.restore(value)
    except RecursionError:
        return value


def note_of(source: str, taint: Taint, shown: JsonValue, changes: Sequence[Change]) -> ContextNote:
    """Return the note of something that is shown."""
    told = Scrubbed(None, tuple(changes))
    return ContextNote(source, shown_digest(shown), taint, told.replaced, told.flagged, told.changes)


def shown_digest(value: JsonValue) -> str:
    """SHA-256 in hex over a text, or over a JSON value's canonical form.

    What has no canonical form, such as a lone surrogate, is digested as plain JSON in ASCII.
    """
    if isinstance(value, str):
        return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
    try:
        return digest_of(value)
    except (CanonicalError, RecursionError):
        return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def kinds_in(changes: Iterable[Change]) -> tuple[StatusKind, ...]:
    """Return the general kinds that were found, each once, in the order of the closed set."""
    found = {change.kind for change in changes}
    return tuple(kind for kind in StatusKind if kind in found)
