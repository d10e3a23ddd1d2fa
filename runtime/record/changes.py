"""Whether anything in the database can have changed since an earlier transaction, other than by the record.

SQLite counts every row that a connection changes, undone ones too, and tells whether any other connection,
of this process or another, has committed since (`runtime.db.ChangeCounter`). On a database that does not
count so there is no mark, and whoever asks must read anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection

from runtime.db import change_counter


class Mark(NamedTuple):
    """Equal marks: nobody has changed a row, appended an entry, or undone a transaction in between.

    Attributes:
        others: moves when another connection commits.
        rows: rows changed by units, whether or not they were undone.
        entries: entries that units appended, whether or not they were undone.
        undone: transactions that were rolled back.
    """

    others: int
    rows: int
    entries: int
    undone: int


class Changes:
    """Keeps count for one writing connection."""

    def __init__(self, connection: Connection) -> None:
        """Count from here."""
        self._count = change_counter(connection)
        self._others = -1
        self._own = 0
        self._entries = 0
        self._undone = 0

    def begin(self) -> bool:
        """Look whether others have committed; to be called inside each transaction before its units.

        Returns:
            whether nobody can have, since the transaction before.
        """
        if self._count is None:
            return False
        before, self._others = self._others, self._count.others()
        return self._others == before

    def mark(self) -> Mark | None:
        """Return where the database stands in the running transaction; None where nobody counts."""
        if self._count is None:
            return None
        return Mark(self._others, self._count.rows() - self._own, self._entries, self._undone)

    def appended(self) -> None:
        """Count an entry."""
        self._entries += 1

    def rolled_back(self) -> None:
        """Count a transaction that was undone: what was read in it need not be so."""
        self._undone += 1

    @contextmanager
    def of_the_record(self) -> Iterator[None]:
        """Leave out the rows that the record writes for entries already counted, and its checkpoints."""
        before = 0 if self._count is None else self._count.rows()
        yield
        if self._count is not None:
            self._own += self._count.rows() - before
