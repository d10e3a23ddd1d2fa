"""Drawing what waits: once a day by the clock, and before each review when a person asks."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Final

from rollout.evidence.desk import profile_of
from rollout.evidence.draws import Draw, draw
from rollout.evidence.piles import Pile, waiting
from rollout.evidence.taking import lapsed, settle
from runtime.people.policies import PolicyBook
from runtime.record.batch import Tx
from runtime.record.ledger import Ledger

MOST_AT_ONCE: Final = 100
"""Draws of one tick; what is left waits for the next."""


class Drawing:
    """Draws for all deployments of one record."""

    def __init__(self, ledger: Ledger, book: PolicyBook, random: Callable[[int], bytes]) -> None:
        """Take the record, the policy in force, and what gives seeds."""
        self._ledger = ledger
        self._book = book
        self._random = random
        self._done: date | None = None

    def daily(self, now: datetime) -> Sequence[Draw]:
        """Draw from every pile that holds something of an earlier UTC day; the body of a job of the clock.

        Items whose second look nobody took in time no longer wait. Once the piles of a day are drawn, nothing
        is looked for again before the next.
        Late, twice or not at all, nothing is lost: the next draw begins where the last one ended.
        """
        self._end_waits(now)
        today = now.astimezone(UTC).date()
        if self._done == today:
            return []
        piles = self._waiting(datetime.combine(today, time(), UTC), None)
        made = self._draw(piles, now)
        self._done = today if len(piles) < MOST_AT_ONCE else None
        return made

    def ask(self, now: datetime, agent: str | None = None) -> Sequence[Draw]:
        """Draw from everything that waits, or from what waits of one agent."""
        return self._draw(self._waiting(now, agent), now)

    def _end_waits(self, now: datetime) -> None:
        with self._ledger.read() as conn:
            roster = self._book.current(conn).roster
            over = lapsed(conn, roster, now=now)
        if over:
            self._ledger.write_sync(lambda tx: [settle(tx, item, roster) for item in over])

    def _waiting(self, before: datetime, agent: str | None) -> Sequence[Pile]:
        with self._ledger.read() as conn:
            piles = waiting(conn, before=before, agent=agent, limit=MOST_AT_ONCE)
            for pile in piles:
                profile_of(conn, pile.deployment)  # read here, and kept: a unit must be quick
            return piles

    def _draw(self, piles: Sequence[Pile], now: datetime) -> Sequence[Draw]:
        waits = [self._ledger.submit(partial(self._one, pile=pile, now=now)) for pile in piles]
        made = [one.result() for one in waits]
        return [one for one in made if one is not None]

    def _one(self, tx: Tx, pile: Pile, now: datetime) -> Draw | None:
        return draw(
            tx,
            pile.deployment,
            pile.effect,
            pile.kind,
            policy=self._book.current(tx.conn).head.policy,
            keyring=self._ledger.keyring,
            random=self._random,
            now=max(now, tx.now),
        )
