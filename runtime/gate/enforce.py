"""Enforcing: one action from the request to its recorded end. The order is the safety.

1. The action is decided on the world of the run as it was last read; nothing is open meanwhile.
2. In one transaction the world is read again, unless nothing can have changed it. If it is another one,
   nothing is written and 1 begins anew. Else the intent, with its budgets, its lease and what it makes seen,
   or the decision against it, is written.
3. Only after that transaction is durable may the effect happen. No transaction is open while it does.
4. The outcome is durable before the reply leaves.

A record that does not answer denies. Whatever an agent is told about what was not done is one constant text.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.context.note import ContextNote
from runtime.errors import LedgerError
from runtime.gate.actions import Action
from runtime.gate.admission import Admissions
from runtime.gate.cards import HoldCard
from runtime.gate.carry import Carriers
from runtime.gate.context import RunContext
from runtime.gate.holds import HoldBook, HoldError, Voted
from runtime.gate.kept import as_shown, keep_back
from runtime.gate.parts import GateParts
from runtime.gate.recovery import recover
from runtime.gate.replies import (
    Admission,
    Admitted,
    Broken,
    Done,
    Failed,
    NotPerformedError,
    Pending,
    Perform,
    Performed,
    Progress,
    Reply,
    Result,
    Ticket,
    Unknown,
    Waiting,
    Withheld,
)
from runtime.gate.settling import settle
from runtime.gate.shown import append_shown
from runtime.gate.states import HoldState
from runtime.gate.steps import PERFORMED, SETTLED
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement

_LOG = logging.getLogger(__name__)
SWEEP_SECONDS: Final = 5.0


class Gate:
    """The one way from an agent to an effect, for all runs of this process."""

    def __init__(self, parts: GateParts) -> None:
        """Build the gate; `start` makes it take up what an earlier process left."""
        self._parts = parts
        self.holds = HoldBook(parts)
        self._admissions = Admissions(parts, self.holds)
        self._carriers = Carriers(parts)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what an earlier process left: unknown outcomes, open holds, approved writes.

        Raises:
            runtime.errors.LedgerError: the record does not answer.
            runtime.gate.holds.HoldError: a stored card is not the one that was recorded.
        """
        self._admissions.not_before(await recover(self._parts))
        for card in await self.holds.load():
            self._carry(card)
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())

    async def vote(self, signed: SignedStatement, hold: str) -> Voted | Refused:
        """Take a signed yes or no to a hold; an approved write is carried out at once, by its run's node.

        Raises:
            runtime.gate.holds.HoldError: there is no such hold.
            runtime.errors.LedgerError: the record did not take it.
        """
        voted = await self.holds.vote(signed, hold)
        if isinstance(voted, Voted) and voted.state is HoldState.APPROVED:
            card = await self.holds.card(hold)
            if self.holds.is_ours(card):
                self._carry(card)
        return voted

    async def admit(self, run: RunContext, action: Action) -> Admission:
        """Decide about an action and record it; `Admitted` comes only after its intent is durable."""
        return await self.admit_held(run, action, None)

    async def admit_held(self, run: RunContext, action: Action, card: HoldCard | None) -> Admission:
        """The same for an approved write that is carried out now; `card` is its hold's."""
        try:
            return await self._admissions.admit(run, action, card)
        except asyncio.CancelledError:
            # The intent may be written all the same; nothing was done for it, and the record shall say so.
            self.in_background(self._admissions.abandon(run, action))
            raise
        except Exception:  # noqa: BLE001 any error while deciding or recording is a deny
            _LOG.exception("action %s of run %s: not recorded, so denied", action.id, run.run)
            return Withheld()

    async def settle(self, ticket: Ticket, result: Result) -> None:
        """Record the outcome of an admitted action; the reply may leave only afterwards.

        Raises:
            runtime.errors.LedgerError: the record did not take it, so the outcome stays unknown.
        """
        try:
            await settle(self._parts, ticket, result)
        except asyncio.CancelledError:
            self.in_background(settle(self._parts, ticket, result))
            raise
        finally:
            if ticket.hold is not None:
                self.holds.waits.wake(ticket.hold)
        self._parts.on_step(SETTLED)

    async def enforce(
        self,
        run: RunContext,
        action: Action,
        perform: Perform,
        *,
        progress: Progress | None = None,
    ) -> Reply:
        """Admit, perform, settle. A held read waits here, at most `hold_wait_seconds`.

        Args:
            run: the run whose action it is.
            action: what it wants.
            perform: does it, and is called at most once, after the intent is durable.
            progress: told now and then while a held read waits.

        Raises:
            asyncio.CancelledError: the caller has gone; the record says how far the action came.
        """
        admission = await self.admit(run, action)
        if isinstance(admission, Waiting):
            admission = await self._after_waiting(run, action, admission, progress)
        if isinstance(admission, Waiting):
            return Pending()
        if isinstance(admission, Admitted):
            return await self.perform(run, admission.ticket, perform)
        return admission

    async def show(self, run: RunContext, note: ContextNote, shown: JsonValue) -> None:
        """Record what enters the agent's context beside outcomes; an error means that it may not be shown."""
        await self._parts.ledger.write(lambda tx: append_shown(tx, self._parts, run, note, shown))

    async def perform(self, run: RunContext, ticket: Ticket, perform: Perform) -> Reply:
        """Let the effect of an admitted action happen, and record how it ended."""
        if self._admissions.now() >= ticket.valid_until:
            return await self._broken(ticket, Failed("its lease had expired before it began"))
        try:
            performed = await perform()
        except NotPerformedError as error:
            return await self._broken(ticket, Failed(str(error)))
        except asyncio.CancelledError:
            self.in_background(settle(self._parts, ticket, Unknown("the caller went away")))
            raise
        except Exception as error:  # noqa: BLE001 what a connector raises tells us only that we do not know
            _LOG.warning("action %s: outcome unknown", ticket.action.id, exc_info=True)
            return await self._broken(ticket, Unknown(f"{type(error).__name__}: {error}"))
        self._parts.on_step(PERFORMED)
        try:
            return await self._answer(run, ticket, performed)
        except LedgerError:
            _LOG.exception("action %s: its outcome could not be recorded", ticket.action.id)
            return Broken("the outcome could not be recorded")

    def in_background(self, work: Coroutine[Any, Any, Any]) -> None:
        """Finish something whose caller has gone; `close` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    async def close(self) -> None:
        """Stop looking after holds, and wait until everything in the background is recorded."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def sweep(self) -> None:
        """End the holds whose time is over; carry out what was approved and not done, at any node."""
        for card in self.holds.due(self._admissions.now()):
            await self._admissions.end(card, HoldState.EXPIRED)
        for card in await self.holds.approved_writes():
            self._carry(card)
        await self.holds.wake_decided()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except (LedgerError, HoldError):
                _LOG.exception("holds could not be looked after; tried again in %s s", SWEEP_SECONDS)

    def _carry(self, card: HoldCard) -> None:
        if card.effect is not Effect.READ and self._carriers.take(card):
            self.in_background(self._carriers.carry(self, card))

    async def _after_waiting(
        self, run: RunContext, action: Action, waiting: Waiting, progress: Progress | None
    ) -> Admission:
        """Wait until the hold is decided. What changes before, as a first vote of two, is no end of it."""
        card = await self.holds.card(waiting.hold)
        left = min((card.expires_at - self._parts.clock()).total_seconds(), self._parts.hold_wait_seconds)
        began = asyncio.get_running_loop().time()
        while await self._changed(card, began, left, progress):
            admission = await self.admit(run, action)
            if not isinstance(admission, Waiting) or admission.hold != card.hold:
                return admission
        return waiting

    async def _changed(self, card: HoldCard, began: float, seconds: float, progress: Progress | None) -> bool:
        """Wait for the rest of the time that began at a moment; false when it is over first."""
        passed = asyncio.get_running_loop().time() - began
        told = None if progress is None else _told_after(passed, progress)
        try:
            return await self.holds.waits.wait(card.hold, seconds - passed, told)
        except BaseException:
            if self.holds.waits.is_abandoned(card.hold):
                self.in_background(self._admissions.end(card, HoldState.VOIDED))
            raise

    async def _answer(self, run: RunContext, ticket: Ticket, performed: Performed) -> Reply:
        shown = as_shown(ticket, performed)
        if shown is None:
            return await asyncio.shield(keep_back(self._parts, self.holds, run, ticket, performed))
        await self.settle(ticket, shown)
        return Done(shown.payload, shown.is_error)

    async def _broken(self, ticket: Ticket, result: Failed | Unknown) -> Broken:
        try:
            await self.settle(ticket, result)
        except LedgerError:
            _LOG.exception("action %s: its outcome could not be recorded", ticket.action.id)
        return Broken(result.reason)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("work in the background failed", exc_info=error)


def _told_after(passed: float, progress: Progress) -> Progress:
    """Let progress that is counted anew go on from where it was; it never goes back (MCP, progress)."""

    async def tell(seconds: float, text: str) -> None:
        await progress(passed + seconds, text)

    return tell
