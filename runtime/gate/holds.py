"""Holds: actions that wait for people, their votes, and those who wait with them.

The rows say where to look. What may happen is counted anew from signed statements at every use (`tally`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from profiles.effects import Effect
from runtime.errors import KernelError
from runtime.gate import hold_rows
from runtime.gate.cards import CardError, HoldCard
from runtime.gate.parts import GateParts
from runtime.gate.replies import Done, Withheld
from runtime.gate.states import OPEN_HOLDS, HoldState
from runtime.gate.tally import Tally, count_votes, is_approval, is_rejection, may_vote, quorum_for
from runtime.gate.waits import Waits
from runtime.gate.world import NOTHING_WAITS
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume, statements_on
from runtime.record.batch import Tx
from runtime.tables.actions import HoldRow


class HoldError(KernelError):
    """A hold that does not exist, or whose stored card is not the one that was recorded."""


@dataclass(frozen=True)
class HoldView:
    """A hold for people: its card, how it stands, and what is still needed."""

    card: HoldCard
    state: HoldState
    tally: Tally


@dataclass(frozen=True)
class Voted:
    """A vote that counted, and how the hold stands now."""

    person: str
    state: HoldState
    tally: Tally


class HoldBook:
    """The open holds of this process, by run and digest."""

    def __init__(self, parts: GateParts) -> None:
        """Open an empty book; `load` fills it from the record."""
        self._parts = parts
        self._by_action: dict[tuple[str, str], HoldCard] = {}
        self._cards: dict[str, HoldCard] = {}
        self._results: dict[str, dict[str, tuple[str, ...]]] = {}
        self.waits = Waits()

    async def load(self) -> list[HoldCard]:
        """Read the holds that still matter; return the approved ones of writes, which are to be carried out.

        Raises:
            HoldError: a stored card is not the one that was recorded.
        """
        states = (*OPEN_HOLDS, HoldState.USED, HoldState.REJECTED)
        rows = await asyncio.to_thread(self._rows, states, self._parts.node)
        for row in rows:
            self.register(await asyncio.to_thread(self._read_card, row))
        approved = {row.id for row in rows if row.state == HoldState.APPROVED.value}
        return [
            card for card in self._cards.values() if card.hold in approved and card.effect is not Effect.READ
        ]

    def register(self, card: HoldCard) -> None:
        """Take a hold that is committed."""
        self._cards[card.hold] = card
        self._by_action[card.run, card.action_digest] = card
        if card.is_of_result:
            self._results.setdefault(card.run, {})[card.action_digest] = card.told

    def forget(self, card: HoldCard) -> None:
        """Drop a hold that is over, and wake whoever waits for it."""
        self._cards.pop(card.hold, None)
        key = (card.run, card.action_digest)
        if (known := self._by_action.get(key)) is not None and known.hold == card.hold:
            del self._by_action[key]
            self._forget_result(card)
        self.waits.wake(card.hold)

    def find(self, run: str, digest: str) -> HoldCard | None:
        """Return the hold of this very action of this run."""
        return self._by_action.get((run, digest))

    def results(self, run: str) -> Mapping[str, tuple[str, ...]]:
        """Return what results of a run tell of its status that wait for a person, by the action's digest."""
        return self._results.get(run, NOTHING_WAITS)

    def is_ours(self, card: HoldCard) -> bool:
        """Whether the hold is of a run of this node; those of others are only voted on here."""
        return card.hold in self._cards

    async def wake_decided(self) -> None:
        """Wake those who wait here for what people have decided at another node."""
        waited = self.waits.waited()
        if waited:
            still = {row.id for row in await self.listed()}
            for hold in waited - still:
                self.waits.wake(hold)

    def due(self, now: datetime) -> list[HoldCard]:
        """Return the holds whose time is over."""
        return [card for card in self._cards.values() if now >= card.expires_at]

    async def approved_writes(self) -> list[HoldCard]:
        """Return the approved holds of writes that were not carried out yet."""
        writes = [card for card in self._cards.values() if card.effect is not Effect.READ]
        if not writes:
            return []
        approved = {row.id for row in await self.listed((HoldState.APPROVED,))}
        return [card for card in writes if card.hold in approved]

    async def card(self, hold: str) -> HoldCard:
        """Return a hold's card.

        Raises:
            HoldError: there is no such hold, or its card is not the one that was recorded.
        """
        known = self._cards.get(hold)
        if known is not None:
            return known
        row = await asyncio.to_thread(self._row, hold)
        if row is None:
            raise HoldError(f"no hold {hold}; `handrail approvals list` shows those that wait")
        return await asyncio.to_thread(self._read_card, row)

    async def result(self, seq: int) -> Done | Withheld:
        """Return the recorded result of a write that was carried out; withheld if it did not succeed."""
        entry = await asyncio.to_thread(self._parts.ledger.entry, seq)
        if entry.payload is None or "payload" not in entry.payload:
            return Withheld()
        return Done(entry.payload["payload"], entry.payload.get("is_error") is True)

    async def listed(self, states: Sequence[HoldState] = (HoldState.WAITING,)) -> list[HoldRow]:
        """Return the rows of holds in these states, oldest first. Cards are shown one by one."""
        return await asyncio.to_thread(self._rows, states)

    async def show(self, hold: str) -> HoldView:
        """Return a hold for people; see `card` for what is raised."""
        card = await self.card(hold)
        return await asyncio.to_thread(self._view, card)

    async def vote(self, signed: SignedStatement, hold: str) -> Voted | Refused:
        """Take a signed yes or no to a hold.

        Args:
            signed: the statement, over the matter of the hold's card (`HoldCard.matter`).
            hold: the hold it is about.

        Raises:
            HoldError: there is no such hold.
            runtime.errors.LedgerError: the record did not take it.
        """
        card = await self.card(hold)
        voted = await self._parts.ledger.write(lambda tx: self._vote(tx, card, signed))
        if isinstance(voted, Voted):
            if voted.state is HoldState.REJECTED and self.is_ours(card):
                self.register(card)
            self.waits.wake(hold)
        return voted

    def _forget_result(self, card: HoldCard) -> None:
        waiting = self._results.get(card.run, {})
        waiting.pop(card.action_digest, None)
        if not waiting:
            self._results.pop(card.run, None)

    def _vote(self, tx: Tx, card: HoldCard, signed: SignedStatement) -> Voted | Refused:
        roster = self._parts.book.current(tx.conn).roster
        said = verify(signed, roster, now=tx.now)
        if isinstance(said, Refused):
            return said
        if refused := _cannot_vote(tx, card, said, roster) or consume(tx, said):
            return refused
        tally = count_votes(card, statements_on(tx.conn, card.hold), roster)
        hold_rows.record_vote(tx, card, said, approved=tally.approved)
        return Voted(said.person, _settle_vote(tx, card, tally), tally)

    def _rows(self, states: Sequence[HoldState], node: str | None = None) -> list[HoldRow]:
        with self._parts.ledger.read() as conn:
            return hold_rows.hold_rows(conn, states, node=node)

    def _row(self, hold: str) -> HoldRow | None:
        with self._parts.ledger.read() as conn:
            return hold_rows.hold_row(conn, hold)

    def _view(self, card: HoldCard) -> HoldView:
        with self._parts.ledger.read() as conn:
            found = hold_rows.state_of_hold(conn, card.hold)
            roster = self._parts.book.current(conn).roster
            tally = count_votes(card, statements_on(conn, card.hold), roster)
        state = found[0] if found else HoldState.VOIDED
        over = state in OPEN_HOLDS and self._parts.clock() >= card.expires_at
        return HoldView(card, HoldState.EXPIRED if over else state, tally)

    def _read_card(self, row: HoldRow) -> HoldCard:
        entry = self._parts.ledger.entry(row.log_seq)
        fields = (entry.payload or {}).get("card")
        card = HoldCard(fields) if isinstance(fields, dict) else None
        with suppress(CardError):
            if (
                card
                and card.hold == row.id == entry.leaf.subject
                and card.digest == entry.leaf.data.get("card")
            ):
                return card
        raise HoldError(f"hold {row.id}: its card is not the recorded one; run `handrail audit verify`")


def _cannot_vote(tx: Tx, card: HoldCard, said: Verified, roster: Roster) -> Refused | None:
    found = hold_rows.state_of_hold(tx.conn, card.hold)
    quorum = quorum_for(roster.policy, card.effect)
    if not (is_approval(said, card) or is_rejection(said, card)):
        return Refused(RefusalCode.OTHER_MATTER, "it is not about this card and these reasons")
    if found is None or found[0] not in OPEN_HOLDS or tx.now >= card.expires_at:
        return Refused(RefusalCode.EXPIRED, f"hold {card.hold} does not wait any more")
    if quorum is None or not may_vote(said.person, card, quorum, roster):
        return Refused(RefusalCode.NOT_PERMITTED, f"`{said.person}` may not decide about this action")
    if hold_rows.has_voted(tx.conn, card.hold, said.person):
        return Refused(RefusalCode.USED, f"`{said.person}` has spoken on this hold already")
    return None


def _settle_vote(tx: Tx, card: HoldCard, tally: Tally) -> HoldState:
    if tally.rejected_by is not None:
        hold_rows.end_hold(tx, card, HoldState.REJECTED, actor=tally.rejected_by)
        return HoldState.REJECTED
    if tally.approved:
        hold_rows.approve_hold(tx, card)
        return HoldState.APPROVED
    return HoldState.WAITING
