"""The database: opening it, and its transactions.

All SQL that only SQLite knows is here, all that only PostgreSQL knows in `runtime.postgres`. On both:

1. A connection reads, unless `open_writer` made it: the database then refuses every write.
   Only `runtime.record.writer` and `runtime.schema` write.
2. A writing transaction holds the only write lock before it reads anything (SQLite: BEGIN IMMEDIATE).
3. A commit is durable when it returns (SQLite: WAL, `synchronous=FULL`).
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVarTuple

from sqlalchemy import URL, Connection, Dialect, Engine, Row, Select, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from runtime import postgres
from runtime.errors import DatabaseError

Ts = TypeVarTuple("Ts")
BUSY_TIMEOUT_SECONDS = 5.0
CONNECT_SECONDS = 5

_EXPECTED = "sqlite:////path/to/file or postgresql://user@host/name"
_WRITES = "handrail_writes"
_PATIENT = "handrail_patient"
_BEGUN = "handrail_begun"
_PRAGMAS = (
    "PRAGMA wal_autocheckpoint=4000",  # pages: four times the default, a tenth more commits a second
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cache_size=-16384",
    "PRAGMA journal_size_limit=67108864",
)
_READER = ("PRAGMA cache_size=-65536",)  # KiB: `audit verify` looks for rows by keys that are random


def open_engine(url: str, *, max_pages: int | None = None) -> Engine:
    """Open the database at `url`; nothing is created or changed before the first connection.

    Args:
        url: an SQLAlchemy URL of SQLite, which needs a file, or of PostgreSQL.
        max_pages: upper bound of an SQLite file, in pages of 4096 bytes; unset: no bound.

    Raises:
        DatabaseError: the URL is malformed, names a database in memory, or one that we do not know.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() == "postgresql":
        return postgres.open_postgres(
            parsed,
            connect_seconds=CONNECT_SECONDS,
            lock_seconds=BUSY_TIMEOUT_SECONDS,
            writes=_WRITES,
            patient=_PATIENT,
        )
    if database_file(parsed) is None:
        raise DatabaseError(
            f"database `{shown(url)}` lives in memory or is of a kind that is not known; expected {_EXPECTED}"
        )
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False})
    _make_at_most_once(engine)
    bound = () if max_pages is None else (f"PRAGMA max_page_count={max_pages}",)
    _begin_explicitly(engine, (*_PRAGMAS, *bound))
    return engine


def open_existing(url: str, *, lenient: bool = False) -> Engine:
    """Open a database only to read it, without making, upgrading or configuring anything.

    Args:
        url: where it is.
        lenient: whether an SQLite text that is no UTF-8 is read with escapes instead of being an error.

    Raises:
        DatabaseError: the URL is malformed, or the database's file is missing or not a readable file.
    """
    file = database_file(parse_url(url))
    if file is None:
        return open_engine(url)
    if not file.is_file() or not os.access(file, os.R_OK):
        raise DatabaseError(f"database {file} is missing or cannot be read")
    uri = f"{file.absolute().as_uri()}?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
        if lenient:
            connection.text_factory = lambda text: text.decode(errors="backslashreplace")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    _begin_explicitly(engine, _READER)
    return engine


def database_file(url: URL) -> Path | None:
    """Return the file behind an SQLite URL; None for any other database."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def shown(url: str) -> str:
    """Return a database's URL as people may read it: without its password."""
    return parse_url(url).render_as_string(hide_password=True)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open one consistent view of the database; it never waits for the writer, and cannot write."""
    with engine.connect() as connection, connection.begin():
        yield connection


def streamed(connection: Connection, query: Select[*Ts], *, chunk: int) -> Iterator[Row[*Ts]]:
    """Yield the rows of a query without ever holding more than `chunk`; leaving early closes its cursor."""
    with connection.execute(query.execution_options(yield_per=chunk)) as rows:
        yield from rows


def open_writer(engine: Engine, *, patient: bool = True) -> Connection:
    """Open a connection whose transactions may write.

    Args:
        engine: of the database.
        patient: whether to wait for another program that writes; else `is_busy` errors come at once.
    """
    connection = engine.connect().execution_options(**{_WRITES: True, _PATIENT: patient})
    if not patient and engine.dialect.name == "sqlite":
        with connection.begin():
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
    return connection


def transaction(connection: Connection) -> AbstractContextManager[object]:
    """Return a transaction of a connection by `open_writer`; it commits, or rolls back on any error."""
    return _Plain(connection) if connection.dialect.name == "sqlite" else connection.begin()


class _Plain:
    """A transaction of SQLite without what SQLAlchemy makes for each, which costs as much as its statements.

    Whatever runs through SQLAlchemy inside joins it: see `_begin_explicitly`.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        _begin(self._connection)
        self._connection.info[_BEGUN] = True

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        # SQLAlchemy's own object is there if something ran through it; it must hear of the end.
        joined = self._connection if self._connection.in_transaction() else self._connection.connection
        del self._connection.info[_BEGUN]
        if kind is not None:
            joined.rollback()
            return
        try:
            joined.commit()
        except BaseException:
            joined.rollback()
            raise


class ChangeCounter:
    """What SQLite counts of the changes that one connection sees; see its PRAGMA data_version."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Count for this connection of the driver."""
        self._connection = connection

    def rows(self) -> int:
        """How many rows this connection has changed, undone ones too."""
        return self._connection.total_changes

    def others(self) -> int:
        """Return a number that is another one after any other connection has committed a change.

        Inside a transaction it speaks of all that was committed before its view was taken.
        """
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def change_counter(connection: Connection) -> ChangeCounter | None:
    """Return the counter of a connection; None for a database that does not count."""
    driver = connection.connection.driver_connection
    return ChangeCounter(driver) if isinstance(driver, sqlite3.Connection) else None


def be_patient(connection: Connection, *, patient: bool) -> None:
    """Choose whether a writer's later transactions wait, where the database can queue who waits.

    SQLite cannot: it looks again and again, and whoever tries again must do so too.
    """
    connection.execution_options(**{_PATIENT: patient})


def is_lost(connection: Connection) -> bool:
    """Whether the database's server has gone, so that nothing can be done with a connection any more."""
    return postgres.is_lost(connection)


def is_busy(error: BaseException) -> bool:
    """Whether an error says that another program holds the database, so that trying again makes sense."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    code = getattr(cause, "sqlite_errorcode", None)
    if code is None:
        return postgres.is_busy(cause)
    return bool(code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))


def is_undecodable(error: BaseException) -> bool:
    """Whether an error says that an SQLite text is no UTF-8; the driver has no other sign of it."""
    return isinstance(error, DBAPIError) and "Could not decode to UTF-8" in str(error.orig)


def words_of(error: BaseException) -> str:
    """Return an error as people read it; one of a database in its driver's words, without the statement."""
    return str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that may write; it commits at the end, or rolls back on any error."""
    with open_writer(engine) as connection, connection.begin():
        yield connection


def parse_url(url: str) -> URL:
    """Read a database's URL.

    Raises:
        DatabaseError: it is malformed.
    """
    try:
        return make_url(url)
    except ArgumentError as error:
        raise DatabaseError(f"the database URL cannot be read; expected {_EXPECTED}") from error


def _make_at_most_once(engine: Engine) -> None:
    """Let only the first connection make the file: a file that was deleted since stays deleted.

    SQLite would put an empty one in its place, and throw away the write-ahead log that lies beside it.
    """
    file = database_file(engine.url)
    mode = "rwc"

    @event.listens_for(engine, "do_connect")
    def connect(
        _dialect: Dialect, _record: ConnectionPoolEntry, arguments: list[str], options: dict[str, object]
    ) -> None:
        if file is not None:
            arguments[0] = f"{file.absolute().as_uri()}?mode={mode}"
            options["uri"] = True

    @event.listens_for(engine, "connect")
    def connected(_connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        nonlocal mode
        mode = "rw"


def _begin_explicitly(engine: Engine, pragmas: Sequence[str]) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come late and not be IMMEDIATE
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.info.get(_BEGUN):
            _begin(connection)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    cursor = connection.connection.cursor()  # the driver's, at a tenth of the cost
    if connection.info.get(_WRITES) is not writes:
        # Only where it changes: this pragma makes SQLite compile every statement of the connection anew.
        cursor.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
        connection.info[_WRITES] = writes
    cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
