"""One table's rows as the record has them, held against the rows that are there.

A row is known from the entry with which it was written, and changes with later entries. As soon as no entry
can change it any more it is compared and forgotten, some hundred at a time; the others are compared when all
entries were read. So memory grows with what is open, not with what happened.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, bindparam, func, select, tuple_
from sqlalchemy.engine import RowMapping
from sqlmodel import SQLModel

from runtime.db import streamed
from runtime.record.findings import FindingKind, Findings
from runtime.record.held.values import allows, as_stored, bare, shown, shown_key

CHUNK: Final = 500

Key = tuple[Any, ...]
Own = Callable[[RowMapping], Mapping[str, Any]]
Known = Callable[[RowMapping], bool]
_Pick = Callable[[Row[Any]], Key]


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
        self._rows: dict[Key, _Row] = {}
        self._over: dict[Key, _Row] = {}
        self._maybe: set[Key] = set()
        self._known = 0
        self._places = {column.name: place for place, column in enumerate(kept_.table.columns)}
        self._pick = _picker(self._places, kept_.key)
        self._picks: dict[tuple[str, ...], _Pick] = {}

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
        self.write(entry, key, said)

    def write(self, entry: int, key: Key, said: dict[str, Any]) -> None:
        """Do the same as `put`; the book keeps `said`."""
        if self._only_keys:
            self.keys.add(key)
            return
        self._over.pop(key, None)
        self._rows[key] = _Row(entry, said)

    def tell(self, entry: int, *key: Any, **said: Any) -> None:
        """Take what an entry says of a row that an earlier one wrote."""
        row = self._rows.get(key)
        if row is not None:
            row.said.update(said)
            row.later = {**row.later, **dict.fromkeys(said, entry)}

    def forget(self, column: str, *key: Any) -> None:
        """Hold a column of an open row no longer: an older entry changed it and does not say to what."""
        row = self._rows.get(key)
        if row is not None:
            row.said.pop(column, None)

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
        row = self._rows.get(key)
        return None if row is None else row.said.get(column)

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
        over, self._over = self._over, {}
        found = self._read(connection, [*over])
        self._known += len(found)
        for key, row in over.items():
            there = found.get(key)
            if there is not None:
                if not self._is_same(there, row):
                    self._compare(key, there._mapping, row, findings)  # noqa: SLF001 - its public name
            elif key not in self._maybe:
                detail = f"entry {row.entry} says that it was written"
                findings.add(FindingKind.ROW_DELETED, self.kept.table.name, detail, row=shown_key(key))

    def finish(self, connection: Connection, findings: Findings) -> None:
        """Compare what is left, and look whether the table has rows that no entry spoke of."""
        for key in [*self._rows]:
            self.close(*key)
            if self.is_full:
                self.compare(connection, findings)
        self.compare(connection, findings)
        count = connection.execute(select(func.count()).select_from(self.kept.table)).scalar_one()
        self.surplus = count > self._known

    def name_unknown(self, connection: Connection, findings: Findings) -> None:
        """Name the rows of which no entry speaks."""
        for row in streamed(connection, select(*self._columns()), chunk=CHUNK):
            key = self._pick(row)
            if key not in self.keys and not self.older(row._mapping):  # noqa: SLF001 - its public name
                where = self.kept.table.name
                findings.add(
                    FindingKind.ROW_ADDED, where, "no entry says that it was written", row=shown_key(key)
                )

    def _is_same(self, there: Row[Any], row: "_Row") -> bool:
        """Whether a row says exactly what entries say; false too where more than that is to be looked at."""
        if self.kept.shown or self.kept.own is not _nothing:
            return False
        names = tuple(row.said)
        pick = self._picks.get(names)
        if pick is None:
            pick = self._picks[names] = _picker(self._places, names)
        return pick(there) == tuple(row.said.values())

    def _compare(self, key: Key, there: RowMapping, row: "_Row", findings: Findings) -> None:
        for column, expected in row.said.items():
            got = self._shown(column, there)
            if not allows(expected, got):
                entry = row.later.get(column, row.entry)
                detail = f"got {shown(got)}; entry {entry} says {shown(expected)}"
                findings.changed(self.kept.table.name, column, shown_key(key), detail)
        for column, expected in self.kept.own(there).items():
            if (got := there[column]) != expected:
                detail = f"got {shown(got)}; the rest of the row says {shown(expected)}"
                findings.changed(self.kept.table.name, column, shown_key(key), detail)

    def _shown(self, column: str, row: RowMapping) -> Any:
        change = self.kept.shown.get(column)
        return row[column] if change is None else change(row[column])

    def _read(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, Row[Any]]:
        if not keys:
            return {}
        pick, wanted = self._pick, keys if len(self.kept.key) > 1 else [key[0] for key in keys]
        return {pick(row): row for row in connection.execute(self._wanted, {"keys": wanted}).all()}

    @cached_property
    def _wanted(self) -> Select[Any]:
        """The rows of some keys; made once, as making it costs as much as asking."""
        columns = [bare(self.kept.table.c[name]) for name in self.kept.key]
        some = columns[0] if len(columns) == 1 else tuple_(*columns)
        return select(*self._columns()).where(some.in_(bindparam("keys", expanding=True)))

    def _columns(self) -> Iterator[ColumnElement[Any]]:
        return map(as_stored, self.kept.table.c)


@dataclass(slots=True)
class _Row:
    """What entries say of one row.

    Attributes:
        entry: the one that says that it was written.
        said: what the latest one says of each column.
        later: for each column that changed, the entry that says so.
    """

    entry: int
    said: dict[str, Any]
    later: Mapping[str, int] = field(default_factory=dict)


def _picker(places: Mapping[str, int], names: Sequence[str]) -> _Pick:
    """Return what picks these columns of a row."""
    if not names:
        return lambda _row: ()
    if len(names) == 1:
        place = places[names[0]]
        return lambda row: (row[place],)
    return itemgetter(*(places[name] for name in names))
