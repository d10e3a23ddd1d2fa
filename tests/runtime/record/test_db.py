"""The database: its version, its shape, and who may write."""

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from runtime.db import (
    MIGRATIONS,
    database_version,
    head_version,
    open_engine,
    open_existing,
    reading,
    schema_differences,
    upgrade,
    writing,
)
from runtime.errors import DatabaseError
from runtime.settings import Settings


def test_the_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    """What `alembic check` says."""
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)

    assert schema_differences(engine) == []
    engine.dispose()


def test_the_newest_file_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == head_version()


def test_upgrading_twice_does_nothing_more(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    assert database_version(engine) is None

    upgrade(engine)
    upgrade(engine)

    assert database_version(engine) == head_version()
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseError, match="9999"):
        upgrade(engine)
    engine.dispose()


def test_commits_are_durable_and_keys_are_enforced(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with reading(engine) as connection:
        settings = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "query_only", "secure_delete")
        }
    engine.dispose()

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "query_only": 1,
        "secure_delete": 1,
    }


def test_only_a_writing_transaction_writes(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (a INTEGER)"))

    with reading(engine) as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("INSERT INTO t VALUES (1)"))
    with engine.connect() as connection, pytest.raises(Exception, match="readonly"):
        connection.execute(text("INSERT INTO t VALUES (1)"))
    engine.dispose()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense"])
def test_a_database_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(DatabaseError):
        open_engine(url)


def test_a_missing_database_is_not_made_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"

    with pytest.raises(DatabaseError, match="missing"):
        open_existing(f"sqlite:///{path}")
    assert not path.exists()


def test_a_broken_database_is_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    engine = open_engine(f"sqlite:///{path}")

    with pytest.raises(DatabaseError, match="cannot be upgraded"):
        upgrade(engine)
    engine.dispose()


def test_an_odd_path_can_be_read(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "odd ?#%20 name")
    settings.state_dir.mkdir()
    with sqlite3.connect(settings.state_dir / "handrail.db") as connection:
        connection.execute("CREATE TABLE t (a INTEGER)")

    for engine in (open_existing(settings.database), open_engine(settings.database)):
        with reading(engine) as connection:
            assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0
        engine.dispose()
