"""Statements of the hot path: written with SQLAlchemy, compiled once, run by the driver.

A batch runs a handful of small statements, and there SQLAlchemy's execution costs more than the database's
own. So the text that it compiles for the dialect at hand goes to the driver's cursor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Compiled, Connection, Dialect, bindparam, insert, select, update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement
from sqlmodel import SQLModel

from runtime.tables.log import LogEntryRow, LogHeadRow, LogPayloadRow

Row = Mapping[str, Any]
Converter = Callable[[Any], Any]

_HEAD = LogHeadRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table


class Prepared:
    """One statement; rows are given by parameter name, values as the columns' types take them."""

    def __init__(
        self, statement: ClauseElement, dialect: Dialect, names: Sequence[str] | None = None
    ) -> None:
        """Compile a statement.

        Args:
            statement: what to run; its parameters are bound by name.
            dialect: of the database.
            names: the columns that an insert fills; unset: all.
        """
        compiled = statement.compile(dialect=dialect, column_keys=None if names is None else list(names))
        self._sql = str(compiled)
        self._parameters = _parameters(getattr(compiled, "positiontup", None), _converters(compiled, dialect))

    def run(self, connection: Connection, row: Row) -> DBAPICursor:
        """Run it once; return the cursor, which knows the rows."""
        cursor: DBAPICursor = _driver(connection).execute(self._sql, self._parameters(row))
        return cursor

    def run_many(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it once for each row."""
        if len(rows) == 1:
            _driver(connection).execute(self._sql, self._parameters(rows[0]))
        else:
            parameters = [self._parameters(row) for row in rows]
            connection.connection.cursor().executemany(self._sql, parameters)


def _driver(connection: Connection) -> Any:
    """Return the driver's own connection: both drivers run a statement without a cursor made beforehand."""
    return connection.connection.dbapi_connection


def _parameters(names: Sequence[str] | None, converters: Mapping[str, Converter]) -> Callable[[Row], Any]:
    """Return what makes parameters of a row: by name, or in the order of `names` where there is one."""
    if names is None:
        return lambda row: {**row, **{name: convert(row[name]) for name, convert in converters.items()}}
    pick = itemgetter(*names) if len(names) > 1 else lambda row: tuple(row[name] for name in names)
    at = tuple((place, converters[name]) for place, name in enumerate(names) if name in converters)
    return partial(_converted, pick, at) if at else pick


def _converted(pick: Callable[[Row], Any], at: tuple[tuple[int, Converter], ...], row: Row) -> list[Any]:
    values = list(pick(row))
    for place, convert in at:
        values[place] = convert(values[place])
    return values


def _converters(compiled: Compiled, dialect: Dialect) -> dict[str, Converter]:
    """Return what SQLAlchemy would do to the values, where it does anything."""
    binds: Mapping[str, BindParameter[Any]] = getattr(compiled, "binds", {})
    found = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
    return {name: processor for name, processor in found.items() if processor is not None}


@dataclass(frozen=True)
class Statements:
    """What batches run, and the inserts that units asked for."""

    head: Prepared
    entry: Prepared
    payload: Prepared
    move: Prepared
    dialect: Dialect
    inserts: dict[tuple[type[SQLModel], tuple[str, ...]], Prepared] = field(default_factory=dict)

    @classmethod
    def of(cls, dialect: Dialect) -> "Statements":
        """Return them for one kind of database, compiled once in a process: they depend on nothing else."""
        kind = (dialect.name, dialect.driver, dialect.paramstyle)
        if kind not in _COMPILED:
            _COMPILED[kind] = cls.compiled(dialect)
        return _COMPILED[kind]

    @classmethod
    def compiled(cls, dialect: Dialect) -> "Statements":
        """Compile them for one kind of database."""
        head = select(_HEAD.origin, _HEAD.size, _HEAD.frontier, _HEAD.high_water).where(
            _HEAD.id == bindparam("head_id")
        )
        move = (
            update(LogHeadRow)
            .where(_HEAD.id == bindparam("head_id"), _HEAD.size == bindparam("old_size"))
            .values(
                size=bindparam("new_size"),
                frontier=bindparam("new_frontier"),
                high_water=bindparam("new_high_water"),
            )
        )
        return cls(
            head=Prepared(head, dialect),
            entry=Prepared(insert(LogEntryRow), dialect),
            payload=Prepared(insert(LogPayloadRow), dialect),
            move=Prepared(move, dialect),
            dialect=dialect,
        )

    def into(self, table: type[SQLModel], names: tuple[str, ...]) -> Prepared:
        """Return the statement that inserts a row with these columns."""
        prepared = self.inserts.get((table, names))
        if prepared is None:
            prepared = self.inserts[table, names] = Prepared(insert(table), self.dialect, names)
        return prepared


_COMPILED: dict[tuple[str, str, str], Statements] = {}
