"""What goes in and out of the gate: results of effects, and answers to the agent's side.

An agent is told one of two constant texts and nothing else: no tier, rule, threshold or name (F27).
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.context.note import ContextNote
from runtime.gate.actions import Action
from runtime.gate.context import RunContext
from runtime.models.prices import Used
from sandboxes import constants

WITHHELD_TEXT: Final = constants.WITHHELD_TEXT
PENDING_TEXT: Final = constants.PENDING_TEXT
UNKNOWN_TOOL_TEXT: Final = "Unknown tool: "
"""Told before the name that was asked for (MCP 2025-11-25, tools, error handling)."""

Progress = Callable[[float, str], Awaitable[None]]
"""Tells a waiting client that the call is alive: seconds waited so far, and a constant text."""


@dataclass(frozen=True)
class Performed:
    """The effect happened (or a read was answered).

    Attributes:
        payload: the reply as JSON.
        text: all of the reply's text, for scanning and for provenance.
        is_error: whether the upstream called its own reply an error.
        used: what a model call used, where its provider says so; else the most that it could counts.
        note: what of it enters the agent's context, once it was scrubbed; `payload` is what was shown.
        once_seen: the same as it may be shown once a person has seen what it tells, where one must.
    """

    payload: JsonValue
    text: str = ""
    is_error: bool = False
    note: ContextNote | None = None
    once_seen: "Performed | None" = None
    used: Used | None = None


@dataclass(frozen=True)
class Failed:
    """The effect certainly did not happen: refused before anything was sent."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """The effect may or may not have happened: a time-out, a lost connection, a cancelled call."""

    reason: str


Result = Performed | Failed | Unknown
Perform = Callable[[], Awaitable[Performed]]


class NotPerformedError(Exception):
    """An executor knows that nothing was sent. Any other exception leaves the outcome unknown."""


@dataclass(frozen=True)
class Ticket:
    """Proof that an intent is committed; good for one effect and one outcome.

    Attributes:
        lease: the action's own lease, a child of its run's: this action, this digest, one use.
        valid_until: the moment after which a connector must not begin the effect any more.
        passes: what its result may tell, because a person has seen that; keys of `STATUS_TEXT` reasons.
    """

    action: Action
    effect: Effect
    agent: str
    deployment: str
    lease: str
    intent_seq: int
    valid_until: datetime
    hold: str | None = None
    passes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Admitted:
    """The action may happen now; its intent is committed."""

    ticket: Ticket


@dataclass(frozen=True)
class Waiting:
    """A read waits for people. `GateDoor.enforce` waits on it; other callers answer with `PENDING_TEXT`."""

    hold: str
    expires_at: datetime


@dataclass(frozen=True)
class Withheld:
    """The action does not happen now. The text is the whole answer."""

    text: str = WITHHELD_TEXT


@dataclass(frozen=True)
class Pending:
    """A held read was not decided in time; the identical call, repeated, gets the result once."""

    text: str = PENDING_TEXT


@dataclass(frozen=True)
class Done:
    """The action happened, now or (for the repeated call of a held action) when it was approved."""

    payload: JsonValue
    is_error: bool = False


@dataclass(frozen=True)
class Broken:
    """The action was admitted but failed, or its outcome is unknown. `reason` is never for the agent."""

    reason: str
    text: str = WITHHELD_TEXT


Reply = Done | Withheld | Pending | Broken
Admission = Admitted | Withheld | Waiting | Done
"""`Done` here: the result of an identical held write that was approved and carried out already."""


class Executor(Protocol):
    """Carries out an admitted action against its upstream."""

    async def perform(self, action: Action, *, progress: Progress | None = None) -> Performed:
        """Do it and return the reply.

        Raises:
            NotPerformedError: nothing was sent. Any other exception means: unknown.
        """
        ...


class GateDoor(Protocol):
    """What a gateway needs of the gate; `runtime.gate.enforce.Gate` implements it."""

    async def admit(self, run: RunContext, action: Action) -> Admission:
        """Decide and record. `Admitted` comes only after its intent is durable."""
        ...

    async def settle(self, ticket: Ticket, result: Result) -> None:
        """Record the outcome of an admitted action; the reply may leave only afterwards."""
        ...

    async def enforce(
        self,
        run: RunContext,
        action: Action,
        perform: Perform,
        *,
        progress: Progress | None = None,
    ) -> Reply:
        """Admit, perform, settle; a held read waits here."""
        ...

    async def show(self, run: RunContext, note: ContextNote, shown: JsonValue) -> None:
        """Record what enters the agent's context beside outcomes; it is shown only afterwards."""
        ...


class Carrier(Protocol):
    """Gives what is needed to carry out a held write, even when its run has ended."""

    def open(self, run: str) -> AbstractAsyncContextManager[tuple[RunContext, Executor]]:
        """Open the context of a run and its upstreams; they are closed on leaving."""
        ...
