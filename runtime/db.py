"""The database: opening it, its transactions, and its version. All SQL that only SQLite knows is here.

1. A connection reads, unless `open_writer` made it: SQLite then refuses every write (`query_only`).
   Only `runtime.record.writer` and `upgrade` write.
2. A writing transaction begins IMMEDIATE: it holds the only write lock before it reads anything.
3. A commit is durable when it returns (WAL, `synchronous=FULL`).
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from runtime.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_SECONDS = 5.0

_WRITES = "handrail_writes"
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


def open_engine(url: str, *, max_pages: int | None = None) -> Engine:
    """Open the database at `url`; nothing is created or changed before the first connection.

    Args:
        url: an SQLAlchemy URL; SQLite needs a file.
        max_pages: upper bound of an SQLite file, in pages of 4096 bytes; unset: no bound.

    Raises:
        DatabaseError: the URL is malformed, or names a database in memory.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, isolation_level="SERIALIZABLE")
    if database_file(parsed) is None:
        raise DatabaseError(
            f"database `{url}` lives in memory; the record needs a file: sqlite:////path/to/file"
        )
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False})
    bound = () if max_pages is None else (f"PRAGMA max_page_count={max_pages}",)
    _begin_explicitly(engine, (*_PRAGMAS, *bound))
    return engine


def open_existing(url: str) -> Engine:
    """Open a database only to read it, without making, upgrading or configuring anything.

    Raises:
        DatabaseError: the URL is malformed, or the database's file is missing or not a readable file.
    """
    file = database_file(_parse(url))
    if file is None:
        return open_engine(url)
    if not file.is_file() or not os.access(file, os.R_OK):
        raise DatabaseError(f"database {file} is missing or cannot be read")
    uri = f"{file.absolute().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False),
        poolclass=NullPool,
    )
    _begin_explicitly(engine, ())
    return engine


def database_file(url: URL) -> Path | None:
    """Return the file behind an SQLite URL; None for any other database."""
    name = url.database
    if url.get_backend_name() != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open one consistent view of the database; it never waits for the writer, and cannot write."""
    with engine.connect() as connection, connection.begin():
        yield connection


def open_writer(engine: Engine, *, patient: bool = True) -> Connection:
    """Open a connection whose transactions may write.

    Args:
        engine: of the database.
        patient: whether to wait for another program that writes; else `is_busy` errors come at once.
    """
    connection = engine.connect().execution_options(**{_WRITES: True})
    if not patient and engine.dialect.name == "sqlite":
        with connection.begin():
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
    return connection


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


def is_busy(error: BaseException) -> bool:
    """Whether an error says that another program holds the database, so that trying again makes sense."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that may write; it commits at the end, or rolls back on any error."""
    with open_writer(engine) as connection, connection.begin():
        yield connection


def upgrade(engine: Engine) -> None:
    """Bring the database to the version of this code; quick when it is there already.

    Raises:
        DatabaseError: the database cannot be opened, or belongs to a newer version of the code.
    """
    try:
        if database_version(engine) != head_version():
            _run_migrations(engine)
    except DBAPIError as error:
        raise DatabaseError(f"database `{engine.url.database}` cannot be upgraded: {error.orig}") from error


def head_version() -> str:
    """Return the version of this code: migrations are named `NNNN_what.py`, and NNNN is their version."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def database_version(engine: Engine) -> str | None:
    """Return the version a database is at; None when it is empty."""
    with reading(engine) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def schema_differences(engine: Engine) -> list[str]:
    """Return what differs between the tables of this code and the database's, as `alembic check` does."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 alembic takes 0.1 s to import
    from alembic.migration import MigrationContext  # noqa: PLC0415

    from runtime.tables import metadata  # noqa: PLC0415 tables import nothing of ours, but 0.2 s of SQLModel

    with reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return [str(difference) for difference in compare_metadata(context, metadata)]


def _run_migrations(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 alembic takes 0.1 s to import, and is seldom needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        found = database_version(engine)
        raise DatabaseError(
            f"database `{engine.url.database}` is at version {found}, this code at {head_version()}; "
            "use the code that wrote it, or a newer one"
        ) from error


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError as error:
        raise DatabaseError("the database URL cannot be read; expected sqlite:////path/to/file") from error


def _begin_explicitly(engine: Engine, pragmas: Sequence[str]) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver's own BEGIN would come late and not be IMMEDIATE
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        cursor = connection.connection.cursor()  # the driver's, at a tenth of the cost
        if connection.info.get(_WRITES) is not writes:
            # Only where it changes: this pragma makes SQLite compile every statement of the connection anew.
            cursor.execute(f"PRAGMA query_only={'OFF' if writes else 'ON'}")
            connection.info[_WRITES] = writes
        cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
