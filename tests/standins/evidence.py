"""A workshop whose agent fills a desk with suggestions, and reviewers who judge them."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import update

from profiles.effects import Effect
from rollout.evidence.draws import Draw, draw
from rollout.evidence.items import Item, ItemKind
from rollout.evidence.judging import Judging, Phase, Shown
from rollout.evidence.model import Sample
from rollout.evidence.samples import collect_sample
from rollout.evidence.taking import Expected
from rollout.evidence.words import words_of
from runtime.clock import random_bytes
from runtime.gate.states import JudgementVerdict
from runtime.gate.suggestions import Judged
from runtime.people.roster import Refused
from runtime.people.statement import SignedStatement
from runtime.tables.agents import DeploymentRow
from tests.standins.databases import Database
from tests.standins.persons import START, Person, Town
from tests.standins.workshop import PROFILE, Workshop, make_workshop


class Desk:
    """The workshop, seen by those who judge."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        with_profile(shop.town)

    @property
    def town(self) -> Town:
        return self.shop.town

    def label(self, *messages: str, label: str = "good") -> None:
        """Let the agent label messages; at tier 0 each becomes a suggestion of class `draft`."""
        asyncio.run(self._label(messages, label))

    async def _label(self, messages: Iterable[str], label: str) -> None:
        for message in messages:
            await self.shop.act("set_label", {"message_id": message, "label": label})

    def draw(
        self, effect: Effect = Effect.DRAFT, kind: ItemKind = ItemKind.SUGGESTION, **rules: Any
    ) -> Draw | None:
        """Draw from what was done so far; a second passes before."""
        now = self.town.later(seconds=1)
        policy = self.town.state.head.policy
        policy = policy.model_copy(update={"evidence": policy.evidence.model_copy(update=rules)})
        ring = self.town.ledger.keyring
        return self.town.write(
            lambda tx: draw(
                tx,
                self.shop.run.deployment,
                effect,
                kind,
                policy=policy,
                keyring=ring,
                random=random_bytes,
                now=now,
            )
        )

    def items(self, effect: Effect = Effect.DRAFT) -> tuple[Item, ...]:
        """Everything drawn of a class."""
        roster = self.town.state.roster
        run = self.shop.run.deployment
        return self.town.read(lambda conn: words_of(conn, run, effect, since=START, roster=roster)).items

    @property
    def judging(self) -> Judging:
        return Judging(self.town.ledger, self.town.book)

    def show(self, item: str, person: Person | None = None) -> Shown:
        """An item as a person sees it now."""
        return asyncio.run(self.judging.show(item, person.name if person else None))

    def expect(self, item: str, person: Person, words: str = "label it good") -> Expected | Refused:
        """Say what one would do, over the card that this person is shown now."""
        signed = self.town.signed(person, self.show(item, person).card.expected(words))
        return asyncio.run(self.judging.expect(signed, item))

    def say(self, item: str, person: Person, verdict: JudgementVerdict) -> Judged | Refused:
        """Judge a drawn item over the card that this person is shown now."""
        signed = self.town.signed(person, self.show(item, person).card.judged(verdict, "looked at it"))
        return asyncio.run(self.judging.judge(signed, item))

    def hand_in(self, signed: SignedStatement, item: str) -> Refused | None:
        """Hand in a word as a judgement of an item; why it was refused."""
        answer = asyncio.run(self.judging.judge(signed, item))
        return answer if isinstance(answer, Refused) else None

    def open_all(self, *persons: Person) -> None:
        """Say about every blind item what one would do, so that all can be judged."""
        for item in self.items():
            for person in persons:
                if item.blind and self.show(item.id, person).phase is Phase.EXPECT:
                    assert isinstance(self.expect(item.id, person), Expected)

    def judge(
        self, item: str, person: Person, verdict: JudgementVerdict = JudgementVerdict.AGREE
    ) -> Judged | Refused:
        """Judge a suggestion by the kernel's own way."""
        return asyncio.run(self._judge(item, person, verdict))

    async def _judge(self, item: str, person: Person, verdict: JudgementVerdict) -> Judged | Refused:
        shown = await self.shop.suggestions.show(item)
        signed = self.town.signed(person, shown.matter(verdict, "looked at it"))
        return await self.shop.suggestions.judge(signed, item)

    def sample(
        self, effect: Effect = Effect.DRAFT, *, since: datetime = START, through: datetime | None = None
    ) -> Sample:
        """What the verdicts come to now."""
        run, roster = self.shop.run.deployment, self.town.state.roster
        return self.town.read(
            lambda conn: collect_sample(
                conn, run, effect, since=since, roster=roster, now=self.town.now, through=through
            )
        )


def with_profile(town: Town) -> None:
    """Give the workshop's deployment its profile's text, by which arguments have roles."""
    values = {"profile_text": PROFILE}
    town.write(lambda tx: tx.conn.execute(update(DeploymentRow).values(values)) and None)


def make_desk(directory: Path, *, tier: int = 0, database: Database | None = None) -> Desk:
    """A desk in a directory of its own."""
    return Desk(make_workshop(directory, tier=tier, database=database))
