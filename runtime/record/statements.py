"""Statements of the hot path: written with SQLAlchemy, compiled once, run by the driver.

A batch runs a handful of small statements, and there SQLAlchemy's execution costs more than the database's
own. So the text that it compiles for the dialect at hand goes to the driver's cursor.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, insert, select, update
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql import ClauseElement

from runtime.tables.log import LogEntryRow, LogHeadRow, LogPayloadRow

Row = Mapping[str, Any]

_HEAD = LogHeadRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table


class Prepared:
    """One statement; rows are given by parameter name."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        order = getattr(compiled, "positiontup", None)
        self._sql = str(compiled)
        self._pick: Callable[[Row], Any] = dict if order is None else _picker(order)

    def run(self, connection: Connection, row: Row) -> DBAPICursor:
        """Run it once; return the cursor, which knows the rows."""
        cursor = connection.connection.cursor()
        cursor.execute(self._sql, self._pick(row))
        return cursor

    def run_many(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it once for each row."""
        connection.connection.cursor().executemany(self._sql, [self._pick(row) for row in rows])


def _picker(names: Sequence[str]) -> Callable[[Row], Any]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda row: tuple(row[name] for name in names)


@dataclass(frozen=True)
class Statements:
    """What one batch runs."""

    head: Prepared
    entry: Prepared
    payload: Prepared
    move: Prepared

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
        entry, payload = insert(LogEntryRow), insert(LogPayloadRow)
        return cls(*[Prepared(statement, dialect) for statement in (head, entry, payload, move)])
