"""The database's version: which it is at, which this code needs, and how it gets there."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from runtime.db import reading, writing
from runtime.errors import DatabaseError

MIGRATIONS = Path(__file__).parent / "migrations"


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
