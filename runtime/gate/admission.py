"""Admitting: deciding an action and writing what was decided, on one and the same world."""

from collections import OrderedDict
from collections.abc import Callable, Container
from datetime import datetime
from typing import Final

from profiles.effects import Effect
from runtime.errors import LedgerUnavailableError
from runtime.gate import hold_rows, units
from runtime.gate.actions import Action
from runtime.gate.again import Again, Outcome, admit_again
from runtime.gate.answers import Answer
from runtime.gate.asked import HeldAlreadyError, hold_of_action, standing_hold
from runtime.gate.cards import HoldCard
from runtime.gate.checks.budgets import overspent
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided, decide
from runtime.gate.holds import HoldBook
from runtime.gate.parts import GateParts
from runtime.gate.replies import Admission
from runtime.gate.seen import SeenBook
from runtime.gate.settling import abandon
from runtime.gate.states import HoldState
from runtime.gate.steps import ADMITTED, DECIDED
from runtime.gate.units import Case, Recorded
from runtime.gate.world import World, facts_of
from runtime.record.batch import Tx

Made = tuple[Decided, World]
"""A decision, and the world that it was made on."""
MOST_TRIES: Final = 8
_WORLDS_KEPT: Final = 1024
_SUGGESTED_KEPT: Final = 65_536


class Admissions:
    """Decides and records, for all runs."""

    def __init__(self, parts: GateParts, holds: HoldBook) -> None:
        """Begin without knowing any world."""
        self._parts = parts
        self._holds = holds
        self._seen = SeenBook(parts.ledger)
        self._inside = parts.worlds
        self._worlds: OrderedDict[str, World] = OrderedDict()
        self._suggested: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._latest: datetime | None = None

    async def admit(self, run: RunContext, action: Action, card: HoldCard | None) -> Admission:
        """Decide about an action and record it.

        Args:
            run: whose action it is.
            action: what it wants.
            card: the hold of an approved write that is carried out now.

        Raises:
            runtime.errors.LedgerError: the record did not take it; nothing may happen.
        """
        seen = await self._seen.of(run.deployment, run.setting)
        if card is not None:
            return await self._again(run, action, card, seen, carrying=True)
        for _ in range(MOST_TRIES):
            try:
                admission = await self._try(run, action, seen)
            except HeldAlreadyError as held:
                self._holds.register(await self._holds.card(held.hold))
            else:
                if admission is not None:
                    return admission
        raise LedgerUnavailableError("the state of the run changed at every try; it is denied")

    def now(self) -> datetime:
        """Return the present moment; it never goes back within this process (F2)."""
        return self.not_before(self._parts.clock())

    def not_before(self, moment: datetime) -> datetime:
        """Let no later moment be earlier than this one; return the latest so far."""
        self._latest = moment if self._latest is None else max(self._latest, moment)
        return self._latest

    async def end(self, card: HoldCard, state: HoldState) -> None:
        """End a hold that is still open: expired, or nobody waits for it any more."""
        await self._parts.ledger.write(lambda tx: hold_rows.end_hold(tx, card, state))
        self._holds.forget(card)

    async def abandon(self, run: RunContext, action: Action) -> None:
        """Say of an intent that may have been written that nothing was done for it; see to its hold likewise.

        The caller went away while it was being recorded. Units keep their order: it is there now, or never.
        A held write waits for people all the same; a read for which nobody waits is void.
        """
        hold = await self._parts.ledger.write(lambda tx: _left_behind(tx, run, action))
        if hold is None:
            return
        card = await self._holds.card(hold)
        if card.effect is Effect.READ and hold not in self._holds.waits.waited():
            await self.end(card, HoldState.VOIDED)
        else:
            self._holds.register(card)

    def record(
        self, tx: Tx, run: RunContext, action: Action, made: Made | None, now: datetime
    ) -> Recorded | World:
        """Write a decision if the world is still the one it was made on; return the new world otherwise."""
        moment = self.not_before(max(now, tx.now))
        fresh = self._inside.read(tx, run, now=moment, ask=action.model)
        if made is None or fresh != made[1] or _budget_differs(run, made[0], fresh):
            return fresh
        with self._inside.own_writes(tx):
            written = self._write(tx, Case(self._parts, run, made[0], fresh, moment))
        if fresh.lease is None or written.changed:
            self._inside.forget()  # the run's lease was issued, or power went: a world is made of both
        return written

    def _write(self, tx: Tx, case: Case) -> Recorded:
        match case.decided.answer:
            case Answer.ALLOW:
                return units.intent(tx, case)
            case Answer.HOLD:
                held = standing_hold(tx.conn, case.run.run, case.decided.reading.digest)
                if held is not None:
                    raise HeldAlreadyError(held)
                return units.hold(tx, case)
            case Answer.SUGGEST:
                return self._suggest(tx, case)
            case Answer.DENY:
                return units.deny(tx, case)

    def _suggest(self, tx: Tx, case: Case) -> Recorded:
        """Write a suggestion; the next unit knows of it, also in the same transaction."""
        key = (case.run.run, case.decided.reading.digest)
        written = units.suggest(tx, case, repeated=key in self._suggested)
        self._suggested.setdefault(key, case.decided.reading.action.id)
        return written

    async def _try(self, run: RunContext, action: Action, seen: Container[str]) -> Admission | None:
        """Decide on the world as it is known; None if it has become another one, which is then known."""
        now, world = self.now(), self._worlds.get(run.run)
        results = self._holds.results(run.run)
        decided = None if world is None else decide(action, facts_of(run, world, seen, now, results=results))
        if decided and decided.answer is Answer.HOLD:
            held = self._holds.find(run.run, decided.reading.digest)
            if held is not None:
                return await self._again(run, action, held, seen, carrying=False)
        self._parts.on_step(DECIDED)
        made = None if decided is None or world is None else (decided, world)
        try:
            written = await self._parts.ledger.write(_unit(self, run, action, made, now))
        except Exception:
            self._unsuggest(run, action, decided)
            raise
        if isinstance(written, Recorded) and decided is not None:
            return self._follow(run, written)
        if isinstance(written, World):
            self._keep(run, written)
        return None

    def _unsuggest(self, run: RunContext, action: Action, decided: Decided | None) -> None:
        """Forget a suggestion that this attempt began and that is not in the record."""
        if decided is not None:
            key = (run.run, decided.reading.digest)
            if self._suggested.get(key) == action.id:
                del self._suggested[key]

    async def _again(
        self, run: RunContext, action: Action, card: HoldCard, seen: Container[str], *, carrying: bool
    ) -> Admission:
        again = Again(self._parts, run, action, card, seen, self.now(), carrying, self._write)
        outcome: Outcome = await self._parts.ledger.write(lambda tx: admit_again(tx, again))
        admission = self._follow(run, outcome.recorded)
        return admission if outcome.result_seq is None else await self._holds.result(outcome.result_seq)

    def _follow(self, run: RunContext, written: Recorded) -> Admission:
        """Take up in memory what is durable now."""
        self._seen.add(run.deployment, run.setting, written.seen)
        if written.closed is not None:
            self._holds.forget(written.closed)
        if written.opened is not None:
            self._holds.register(written.opened)
            self._parts.notifier.waiting("hold", (written.opened.hold,))
        if written.suggestion is not None:
            if len(self._suggested) > _SUGGESTED_KEPT:
                self._suggested.popitem(last=False)
            self._parts.notifier.waiting("suggestion", (written.suggestion,))
        self._parts.on_step(ADMITTED)
        return written.admission

    def _keep(self, run: RunContext, world: World) -> None:
        self._worlds[run.run] = world
        self._worlds.move_to_end(run.run)
        if len(self._worlds) > _WORLDS_KEPT:
            self._worlds.popitem(last=False)


def _unit(
    admissions: Admissions, run: RunContext, action: Action, made: Made | None, now: datetime
) -> Callable[[Tx], Recorded | World]:
    return lambda tx: admissions.record(tx, run, action, made, now)


def _left_behind(tx: Tx, run: RunContext, action: Action) -> str | None:
    """Close the intent of a caller who has gone; return the hold that the attempt began, if it did."""
    abandon(tx, run, action)
    return hold_of_action(tx.conn, action.id)


def _budget_differs(run: RunContext, decided: Decided, fresh: World) -> bool:
    """Whether the budgets, as they are in this transaction, say something else than they did."""
    said = next((v for v in decided.decision.verdicts if v.check == "budgets"), None)
    if said is None:
        return False
    return bool(overspent(decided.reading, run.profile, fresh.usage)) is (said.answer is Answer.ALLOW)
