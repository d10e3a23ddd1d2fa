"""Judging drawn items: one person, one item, one signed verdict. Nothing here can execute anything.

On an item that was drawn blind, a person first says what they would do, over a card without the proposal.
The agent's owner judges nothing that the agent did. A write that was carried out and is called harmful puts
its agent into quarantine, in the unit that takes the verdict.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from rollout.evidence.cards import Card, blind_card, whole_card
from rollout.evidence.desk import Waiting, drawn_item, next_for, profile_of
from rollout.evidence.items import Item, ItemKind
from rollout.evidence.spoken import said_on
from rollout.evidence.taking import Expected, may_judge, take_executed, take_expectation, take_suggestion
from runtime.gate.states import JudgementVerdict
from runtime.gate.suggestions import Judged
from runtime.people.policies import PolicyBook
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.record.ledger import Ledger


class Phase(StrEnum):
    """What a person can say about an item now."""

    EXPECT = "expect"  # what they would do; the proposal is held back
    JUDGE = "judge"
    DONE = "done"  # they have judged it


@dataclass(frozen=True)
class Shown:
    """An item as one person sees it now.

    Attributes:
        drawn: as it was drawn; None for a suggestion that no draw took: a verdict on it is recorded, and only
            `harmful` counts.
        phase: what the person can say.
        card: the reduced card before the expectation, else the whole one.
        expectation: what the person said they would do.
        verdicts: what persons who still count have judged so far, by name.
    """

    drawn: Item | None
    phase: Phase
    card: Card
    expectation: str | None
    verdicts: Mapping[str, JudgementVerdict]

    @property
    def kind(self) -> ItemKind:
        """What it is."""
        return ItemKind.SUGGESTION if self.drawn is None else self.drawn.kind


class Judging:
    """Shows items and takes what people say about them."""

    def __init__(self, ledger: Ledger, book: PolicyBook) -> None:
        """Take the record and the policy in force."""
        self._ledger = ledger
        self._book = book

    async def next(self, person: str, agent: str | None = None) -> tuple[Waiting, Shown | None] | Refused:
        """Return how much waits for a person, and the first of it; a refusal if they may judge nothing."""
        return await asyncio.to_thread(self._next, person, agent)

    async def show(self, item: str, person: str | None) -> Shown:
        """Return an item as a person sees it now; to nobody in particular a blind one opens once judged.

        Raises:
            runtime.errors.KernelError: there is no such item, or its card is gone.
        """
        return await asyncio.to_thread(self._show, item, person)

    async def expect(self, signed: SignedStatement, item: str) -> Expected | Refused:
        """Take what a person would do (`Card.expected`), before the proposal is shown to them.

        Raises:
            runtime.errors.KernelError: there is no such item.
            runtime.errors.LedgerError: the record did not take it.
        """
        return await self._ledger.write(lambda tx: self._expect(tx, signed, item))

    async def judge(self, signed: SignedStatement, item: str) -> Judged | Refused:
        """Take a verdict (`Card.judged`): of a suggestion, or of a write that was carried out.

        Raises:
            runtime.errors.KernelError: there is no such item.
            runtime.errors.LedgerError: the record did not take it.
        """
        return await self._ledger.write(lambda tx: self._judge(tx, signed, item))

    def _next(self, person: str, agent: str | None) -> tuple[Waiting, Shown | None] | Refused:
        with self._ledger.read() as conn:
            roster = self._book.current(conn).roster
            if refused := may_judge(person, roster):
                return refused
            found = next_for(conn, person, roster, agent=agent)
            shown = None if found.item is None else self._seen_by(conn, found.item.id, person)
        return found, shown

    def _show(self, item: str, person: str | None) -> Shown:
        with self._ledger.read() as conn:
            return self._seen_by(conn, item, person)

    def _seen_by(self, conn: Connection, item: str, person: str | None) -> Shown:
        drawn = drawn_item(conn, item)
        kind = ItemKind.SUGGESTION if drawn is None else drawn.kind
        card = whole_card(conn, self._ledger.keyring, item, kind)
        said = said_on(conn, item, self._book.current(conn).roster)
        expected, verdicts = said.expectation_of(person), said.verdicts
        if person in verdicts:
            return Shown(drawn, Phase.DONE, card, expected, verdicts)
        opened = expected is not None or (person is None and bool(verdicts))
        if drawn is None or not drawn.blind or opened:
            return Shown(drawn, Phase.JUDGE, card, expected, verdicts)
        return Shown(drawn, Phase.EXPECT, self._reduced(conn, card, drawn), None, verdicts)

    def _reduced(self, conn: Connection, card: Card, drawn: Item) -> Card:
        return blind_card(card, profile_of(conn, drawn.deployment))

    def _expect(self, tx: Tx, signed: SignedStatement, item: str) -> Expected | Refused:
        drawn, roster = drawn_item(tx.conn, item), self._book.current(tx.conn).roster
        card = whole_card(tx.conn, self._ledger.keyring, item, ItemKind.SUGGESTION)
        reduced = None if drawn is None else self._reduced(tx.conn, card, drawn)
        return take_expectation(tx, drawn, reduced, signed, roster=roster)

    def _judge(self, tx: Tx, signed: SignedStatement, item: str) -> Judged | Refused:
        drawn, roster = drawn_item(tx.conn, item), self._book.current(tx.conn).roster
        kind = ItemKind.SUGGESTION if drawn is None else drawn.kind
        card = whole_card(tx.conn, self._ledger.keyring, item, kind)
        if drawn is not None and kind is ItemKind.EXECUTED:
            return take_executed(tx, drawn, card, signed, roster=roster)
        return take_suggestion(tx, drawn, card, signed, roster=roster)
