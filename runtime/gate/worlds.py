"""Reading worlds inside the record's transactions: once for all units of one, while nobody changes them.

SQLite counts every row that a connection changes, undone ones too. In one transaction nobody else can write.
So while the count stands where our own last unit left it, nothing that a world is made of has changed. On any
other database each unit reads anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from runtime.gate.context import RunContext
from runtime.gate.world import World, read_usage, read_world
from runtime.people.policies import PolicyBook
from runtime.record.batch import Tx

_Mark = tuple[object, int | None]


class Worlds:
    """The worlds that were read in the running transaction. Units use it, and never two at once."""

    def __init__(self, book: PolicyBook) -> None:
        """Begin without any."""
        self._book = book
        self._mark: _Mark = (None, None)
        self._read: dict[tuple[str, str, datetime], World] = {}

    def read(self, tx: Tx, run: RunContext, *, now: datetime) -> World:
        """Return the world of a run as it is in this transaction; its budgets are read at each call."""
        mark = _mark_of(tx)
        if mark[1] is None or mark != self._mark:
            self._read.clear()
            self._mark = mark
        key = (run.run, run.deployment, now)
        known = self._read.get(key)
        if known is not None:
            return replace(known, usage=read_usage(tx.conn, run, now=now))
        world = read_world(tx.conn, run, book=self._book, now=now)
        self._read[key] = world
        return world

    @contextmanager
    def own_writes(self, tx: Tx) -> Iterator[None]:
        """Say that what is written inside is part of no world: actions, budgets, their leases, outcomes."""
        untouched = _mark_of(tx) == self._mark
        yield
        if untouched:
            self._mark = _mark_of(tx)

    def forget(self) -> None:
        """Read anew next time: a unit has written what a world is made of."""
        self._mark = (None, None)


def _mark_of(tx: Tx) -> _Mark:
    changes = getattr(tx.conn.connection.driver_connection, "total_changes", None)
    return tx.transaction, changes if isinstance(changes, int) else None
