"""PostgreSQL: how it is opened and how its transactions begin. All that only PostgreSQL knows is here.

1. A transaction that writes first takes one advisory lock of the database, and keeps it to its end: of
   several processes on one database one writes at a time. It is READ COMMITTED, so what it reads after the
   lock is all that was committed before; a snapshot taken while it waited would be stale.
2. Every other transaction is REPEATABLE READ and READ ONLY: one consistent view, and no write.
3. A process that hangs in a transaction, or vanishes with its host, gives the lock back after a bounded time.
"""

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from runtime.errors import DatabaseError

DRIVER = "postgresql+psycopg"
HANGING_SECONDS = 30

_IMPATIENT_MS = 1
_LOCK = 0x68616E647261696C  # "handrail" in ASCII, the number of the advisory lock
_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BEGIN_WRITING = (
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
    "SET LOCAL lock_timeout = {milliseconds}; "
    f"SELECT pg_advisory_xact_lock({_LOCK})"
)
_SESSION = (
    "SET TIME ZONE 'UTC'",
    f"SET idle_in_transaction_session_timeout = '{HANGING_SECONDS}s'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 4",
    # `off` at the server would lose commits; `on` also waits for a synchronous standby, if there is one.
    "SET synchronous_commit = on",
)
_BUSY = frozenset({"55P03", "40001", "40P01"})  # lock not available, serialization failure, deadlock


def open_postgres(
    url: URL, *, connect_seconds: int, lock_seconds: float, writes: str, patient: str
) -> Engine:
    """Open the database at `url`; nothing happens before the first connection.

    Args:
        url: of PostgreSQL, whatever driver it names.
        connect_seconds: how long a connection may take.
        lock_seconds: how long a patient writer waits for another.
        writes: name of the execution option of connections that write.
        patient: name of the execution option of those that wait for another writer.

    Raises:
        DatabaseError: the driver is not installed. Whatever connects later raises it too, where the server
            cannot be reached.
    """
    timeout = {"connect_timeout": str(connect_seconds), "application_name": "handrail"}
    chosen = url.set(drivername=DRIVER).update_query_dict({**timeout, **dict(url.query)})
    try:
        engine = create_engine(chosen, pool_pre_ping=True, use_native_hstore=False)
    except ModuleNotFoundError as error:
        raise DatabaseError(
            f"{error.name} is not installed, and PostgreSQL needs it; install `handrail[postgres]`"
        ) from error
    event.listen(engine, "connect", _configure)
    event.listen(engine, "handle_error", _name_the_server)

    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if not options.get(writes, False):
            _begin(connection, _BEGIN_READING)
            return
        wait_ms = round(lock_seconds * 1000) if options.get(patient, True) else _IMPATIENT_MS
        _begin(connection, _BEGIN_WRITING.format(milliseconds=wait_ms))

    event.listen(engine, "begin", begin)
    return engine


def is_busy(error: BaseException) -> bool:
    """Whether another transaction is in the way; this one was undone, and may be tried again."""
    return getattr(error, "sqlstate", None) in _BUSY


def is_lost(connection: Connection) -> bool:
    """Whether the server is no longer at the other end of a connection."""
    if connection.closed or connection.invalidated:
        return True
    return bool(getattr(connection.connection.driver_connection, "closed", False))


def _configure(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.autocommit = True  # transactions begin with our own BEGIN
    for statement in _SESSION:
        connection.execute(statement)


def _name_the_server(context: ExceptionContext) -> DatabaseError | None:
    if context.connection is not None or context.engine is None:
        return None
    where = context.engine.url.render_as_string(hide_password=True)
    return DatabaseError(
        f"database {where} cannot be reached: {context.original_exception}; "
        "start it, or correct HANDRAIL_DATABASE_URL"
    )


def _begin(connection: Connection, statements: str) -> None:
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(statements)
    except connection.dialect.loaded_dbapi.Error as error:
        if not driver.closed:
            driver.rollback()
        raise OperationalError(statements, None, error) from error
