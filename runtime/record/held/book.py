"""One table's rows as the record has them, held against the rows that are there.

A row is known from the entry with which it was written, and changes with later entries. As soon as no entry
can change it any more it is compared and forgotten, some hundred at a time; the others are compared when all
entries were read. So memory grows with what is open, not with what happened.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, func, select, tuple_
from sqlalchemy.engine import RowMapping
from sqlmodel import SQLModel

from runtime.db import streamed
from runtime.record.findings import FindingKind, Findings
from runtime.record.held.values import allows, as_stored, bare, shown, shown_key

CHUNK: Final = 500

Key = tuple[Any, ...]
Own = Callable[[RowMapping], Mapping[str, Any]]
Known = Callable[[RowMapping], bool]


def _nothing(_row: RowMapping) -> Mapping[str, Any]:
    """Say nothing of a row's columns."""
    return {}


def _none(_row: RowMapping) -> bool:
    """Know no row that no entry speaks of."""
    return False


@dataclass(frozen=True)
class Kept:
    """What is kept in one table.

    Attributes:
        model: the table.
        key: the columns by which entries name a row.
        shown: for each column that entries name by another value, such as a digest: that value.
        own: what a row's other columns, which entries name, say of its columns.
    """

    model: type[SQLModel]
    key: tuple[str, ...]
    shown: Mapping[str, Callable[[Any], Any]]
    own: Own = _nothing

    @property
    def table(self) -> Table:
        """The table."""
        table: Table = self.model.__table__  # type: ignore[attr-defined]  # SQLModel does not type its tables
        return table


def kept(
    model: type[SQLModel],
    *key: str,
    shown: Mapping[str, Callable[[Any], Any]] | None = None,
    own: Own = _nothing,
) -> Kept:
    """Return what is kept in a table; see `Kept`."""
    return Kept(model, key, shown or {}, own)


class Book:
    """The rows of one table, as far as entries were read.

    Attributes:
        older: whether a row may be there though no entry speaks of it: earlier versions wrote none of it.
        surplus: whether there are more rows than entries speak of; known once it is finished.
    """

    def __init__(self, kept_: Kept, *, only_keys: bool = False) -> None:
        """Begin without any.

        Args:
            kept_: what is kept in the table.
            only_keys: whether to remember each row's key and nothing else, to name the rows nobody knows.
        """
        self.kept = kept_
        self.older: Known = _none
        self.surplus = False
        self.keys: set[Key] = set()
        self._only_keys = only_keys
        self._rows: dict[Key, dict[str, tuple[Any, int]]] = {}
        self._over: dict[Key, dict[str, tuple[Any, int]]] = {}
        self._maybe: set[Key] = set()
        self._known = 0

    @property
    def is_full(self) -> bool:
        """Whether enough rows are over to be compared."""
        return len(self._over) >= CHUNK

    def put(self, entry: int, *key: Any, **said: Any) -> None:
        """Take a row that an entry says was written, in the place of one of its key.

        Args:
            entry: the entry's number.
            key: the row's key.
            said: what it says of columns; what it does not name is not held.
        """
        if self._only_keys:
            self.keys.add(key)
            return
        self._over.pop(key, None)
        self._rows[key] = {name: (value, entry) for name, value in said.items()}

    def tell(self, entry: int, *key: Any, **said: Any) -> None:
        """Take what an entry says of a row that an earlier one wrote."""
        row = self._rows.get(key)
        if row is not None:
            row.update({name: (value, entry) for name, value in said.items()})

    def forget(self, column: str, *key: Any) -> None:
        """Hold a column of an open row no longer: an older entry changed it and does not say to what."""
        self._rows.get(key, {}).pop(column, None)

    def maybe(self, *key: Any) -> None:
        """Take that a row need not be there: the record does not say."""
        self._maybe.add(key)

    def surely(self, *key: Any) -> None:
        """Take back that a row need not be there."""
        self._maybe.discard(key)

    def has(self, *key: Any) -> bool:
        """Whether a row is open."""
        return key in self._rows

    def said(self, column: str, *key: Any) -> Any:
        """Return what was said of a column of an open row; None if nothing was."""
        return self._rows.get(key, {}).get(column, (None, 0))[0]

    def open_keys(self) -> Sequence[Key]:
        """Return the keys of the rows that can still change."""
        return tuple(self._rows)

    def drop(self, *key: Any) -> None:
        """Take that a row was deleted, and an entry said so."""
        self.keys.discard(key)
        self._rows.pop(key, None)

    def close(self, *key: Any) -> None:
        """Take that no later entry changes a row."""
        row = self._rows.pop(key, None)
        if row is not None:
            self._over[key] = row

    def compare(self, connection: Connection, findings: Findings) -> None:
        """Compare the rows that are over."""
        said, self._over = self._over, {}
        found = self._read(connection, [*said])
        self._known += len(found)
        for key, columns in said.items():
            row = found.get(key)
            if row is None and key not in self._maybe:
                self._gone(key, columns, findings)
            elif row is not None:
                self._compare(key, row, columns, findings)

    def finish(self, connection: Connection, findings: Findings) -> None:
        """Compare what is left, and look whether the table has rows that no entry spoke of."""
        while self._rows or self._over:
            for key in [*self._rows][:CHUNK]:
                self.close(*key)
            self.compare(connection, findings)
        count = connection.execute(select(func.count()).select_from(self.kept.table)).scalar_one()
        self.surplus = count > self._known

    def name_unknown(self, connection: Connection, findings: Findings) -> None:
        """Name the rows of which no entry speaks."""
        for row in streamed(connection, select(*self._columns()), chunk=CHUNK):
            mapping = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
            key = self._key_of(mapping)
            if key not in self.keys and not self.older(mapping):
                where = self.kept.table.name
                findings.add(
                    FindingKind.ROW_ADDED, where, "no entry says that it was written", row=shown_key(key)
                )

    def _gone(self, key: Key, columns: Mapping[str, tuple[Any, int]], findings: Findings) -> None:
        entry = min((entry for _, entry in columns.values()), default=None)
        detail = "the record says" if entry is None else f"entry {entry} says"
        findings.add(
            FindingKind.ROW_DELETED,
            self.kept.table.name,
            f"{detail} that it was written",
            row=shown_key(key),
        )

    def _compare(
        self, key: Key, row: RowMapping, columns: Mapping[str, tuple[Any, int]], findings: Findings
    ) -> None:
        for column, (expected, entry) in columns.items():
            got = self._shown(column, row)
            if not allows(expected, got):
                detail = f"got {shown(got)}; entry {entry} says {shown(expected)}"
                findings.changed(self.kept.table.name, column, shown_key(key), detail)
        for column, expected in self.kept.own(row).items():
            if (got := row[column]) != expected:
                detail = f"got {shown(got)}; the rest of the row says {shown(expected)}"
                findings.changed(self.kept.table.name, column, shown_key(key), detail)

    def _shown(self, column: str, row: RowMapping) -> Any:
        change = self.kept.shown.get(column)
        return row[column] if change is None else change(row[column])

    def _read(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, RowMapping]:
        if not keys:
            return {}
        table, names = self.kept.table, self.kept.key
        columns = [bare(table.c[name]) for name in names]
        wanted = columns[0].in_([key[0] for key in keys]) if len(names) == 1 else tuple_(*columns).in_(keys)
        query = select(*self._columns()).where(wanted)
        return {self._key_of(row): row for row in connection.execute(query).mappings()}

    def _columns(self) -> Iterator[ColumnElement[Any]]:
        return map(as_stored, self.kept.table.c)

    def _key_of(self, row: RowMapping) -> Key:
        return tuple(row[name] for name in self.kept.key)
