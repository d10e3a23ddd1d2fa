"""Reading worlds inside the record's transactions: anew only if one can have become another.

A world that was read stays good, in this transaction and in later ones, while all of this holds:

- nobody but the gate's own units has written: no unit changed a row or appended an entry, no other connection
  or process committed, no transaction was undone (`runtime.record.changes`);
- the moment is not before that of the reading, and none has come at which time alone changes something
  (`World.turns_at`);
- it is at most `MOST_AGE` old, whatever is said above.

Where nobody counts changes, on any other database than SQLite, each unit reads anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from runtime.gate.actions import ModelAsk
from runtime.gate.context import RunContext
from runtime.gate.world import World, read_usage, read_world
from runtime.people.policies import PolicyBook
from runtime.record.batch import Tx
from runtime.record.changes import Mark

MOST_AGE: Final = timedelta(seconds=1)


class Worlds:
    """The worlds that are still good. Units use it, and never two at once."""

    def __init__(self, book: PolicyBook) -> None:
        """Begin without any."""
        self._book = book
        self._mark: Mark | None = None
        self._read: dict[tuple[str, str, str], tuple[datetime, World]] = {}

    def read(self, tx: Tx, run: RunContext, *, now: datetime, ask: ModelAsk | None = None) -> World:
        """Return the world of a run as it is in this transaction; its budgets are read at each call."""
        mark = tx.mark
        if mark is None or mark != self._mark:
            self._read.clear()
            self._mark = mark
        key = (run.run, run.agent, run.deployment)
        began, known = self._read.get(key, (now, None))
        if known is not None and _is_good(known, began, now):
            return known.with_usage(read_usage(tx.conn, run, now=now, ask=ask))
        world = read_world(tx.conn, run, book=self._book, now=now, ask=ask)
        self._read[key] = (now, world)
        return world

    @contextmanager
    def own_writes(self, tx: Tx) -> Iterator[None]:
        """Say that what is written inside is part of no world: actions, budgets, their leases, outcomes."""
        untouched = tx.mark == self._mark
        yield
        if untouched:
            self._mark = tx.mark

    def forget(self) -> None:
        """Read anew next time: a unit has written what a world is made of."""
        self._mark = None


def _is_good(world: World, began: datetime, now: datetime) -> bool:
    return began <= now < began + MOST_AGE and now < world.turns_at
