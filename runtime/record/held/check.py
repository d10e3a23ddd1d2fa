"""The rows of all tables, held against the entries: none less, none more, none changed.

Nothing that decides believes most of these rows, but people read them, and what differs from the record was
changed by hand.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from runtime.db import streamed
from runtime.errors import CanonicalError
from runtime.record.findings import Findings
from runtime.record.held.actions import Actions
from runtime.record.held.agents import Agents
from runtime.record.held.alerts import Alerts
from runtime.record.held.apart import Alarmed, Drawn, Notices
from runtime.record.held.book import CHUNK, Book
from runtime.record.held.machine import Days, Machine
from runtime.record.held.memory import Memory
from runtime.record.held.people import People
from runtime.record.held.power import Power
from runtime.record.held.rollout import Rollout
from runtime.record.held.story import Chapter, Hear, Story, Told
from runtime.record.held.words import Words
from runtime.record.leaf import decode_fields
from runtime.tables.log import LogEntryRow
from runtime.tables.monitor import ScanRow

_CHAPTERS: Final[tuple[type[Chapter], ...]] = (
    Agents,
    # What an action used is told before what its ending says of its hold.
    Actions,
    Words,
    People,
    Power,
    Alerts,
    Rollout,
    Machine,
    Days,
    Memory,
    Drawn,
    Notices,
    Alarmed,
)
_ENTRY: Final[Table] = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SCAN: Final[Table] = ScanRow.__table__  # type: ignore[attr-defined]  # as above
Fields = Mapping[str, Any]


class RowCheck:
    """Hears every entry once, in order, and then looks at the rows."""

    def __init__(self, connection: Connection, findings: Findings, *, only_keys: bool = False) -> None:
        """Prepare.

        Args:
            connection: the same view that the entries are read from.
            findings: takes what is wrong.
            only_keys: whether to learn only which rows there are.
        """
        scanned = {row.name: row.seq for row in connection.execute(select(_SCAN.c.name, _SCAN.c.seq))}
        kept = [one for chapter in _CHAPTERS for one in chapter.kept]
        self._connection = connection
        self._findings = findings
        self._story = Story(kept, scanned, only_keys=only_keys)
        self._chapters = [chapter(self._story) for chapter in _CHAPTERS]
        self._hears: dict[str, list[Hear]] = {}
        for chapter in self._chapters:
            for kind, hear in chapter.heard().items():
                self._hears.setdefault(kind.value, []).append(hear)

    def see(self, seq: int, fields: Fields) -> None:
        """Hear one entry, by the fields of its leaf."""
        self._story.at, self._story.size = fields["at"], seq + 1
        hears = self._hears.get(fields["kind"])
        if hears is None:
            return
        told = Told(
            seq,
            fields["kind"],
            fields["at"],
            fields["actor"],
            fields["agent"],
            fields["deployment"],
            fields["run"],
            fields["subject"],
            fields["data"],
        )
        for hear in hears:
            hear(told)
        self._story.last = told

    def compare(self) -> None:
        """Look at the rows that no later entry changes, where there are many of them."""
        for book in self._story.books.values():
            if book.is_full:
                book.compare(self._connection, self._findings)

    def finish(self) -> None:
        """Look at all other rows, and name those that nobody knows."""
        self._end()
        books = self._story.books.values()
        for book in books:
            book.finish(self._connection, self._findings)
        if surplus := [book for book in books if book.surplus]:
            self._name_unknown(surplus)
        for chapter in self._chapters:
            chapter.check(self._connection, self._findings)

    def _end(self) -> None:
        for chapter in self._chapters:
            chapter.end()

    def _name_unknown(self, books: list[Book]) -> None:
        """Read the entries again for every row that they name: it is not worth its memory otherwise."""
        again = RowCheck(self._connection, self._findings, only_keys=True)
        query = select(_ENTRY.c.seq, _ENTRY.c.leaf).order_by(_ENTRY.c.seq)
        for row in streamed(self._connection, query, chunk=CHUNK):
            try:
                again.see(row.seq, decode_fields(row.leaf))
            except (CanonicalError, KeyError, TypeError, ValueError):
                continue  # the check of the entries names it
        again._end()
        for book in books:
            known = again._story[book.kept.table.name]
            known.name_unknown(self._connection, self._findings)
