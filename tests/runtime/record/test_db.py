"""The database: its version, its shape, and who may write."""

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from runtime.db import is_busy, open_engine, open_existing, open_writer, reading, shown, writing
from runtime.errors import DatabaseError
from runtime.schema import MIGRATIONS, database_version, head_version, schema_differences, upgrade
from runtime.settings import Settings
from tests.standins.databases import Database
from tests.standins.postgres import Postgres


def test_the_migrations_lead_to_the_tables_of_the_code(blank_database: Database) -> None:
    """What `alembic check` says."""
    engine = open_engine(blank_database.url)
    upgrade(engine)

    assert schema_differences(engine) == []
    engine.dispose()


def test_the_newest_file_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_current_head() == head_version()


def test_upgrading_twice_does_nothing_more(blank_database: Database) -> None:
    engine = open_engine(blank_database.url)
    assert database_version(engine) is None

    upgrade(engine)
    upgrade(engine)

    assert database_version(engine) == head_version()
    engine.dispose()


def test_a_database_of_a_newer_version_is_refused(blank_database: Database) -> None:
    engine = open_engine(blank_database.url)
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


def test_only_a_writing_transaction_writes(blank_database: Database) -> None:
    engine = open_engine(blank_database.url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE t (a INTEGER)"))

    with reading(engine) as connection, pytest.raises(Exception, match=r"read-?only"):
        connection.execute(text("INSERT INTO t VALUES (1)"))
    with engine.connect() as connection, pytest.raises(Exception, match=r"read-?only"):
        connection.execute(text("INSERT INTO t VALUES (1)"))
    engine.dispose()


def test_commits_on_postgresql_are_durable_whatever_its_settings(postgres: Postgres) -> None:
    name = postgres.create()
    with postgres.shell(name) as shell:
        shell.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine = open_engine(postgres.url(name))
    with reading(engine) as connection:
        found = connection.execute(text("SHOW synchronous_commit")).scalar()
    engine.dispose()

    assert found == "on"


def test_a_writer_finds_another_one_at_work_and_is_told_so_at_once(database: Database) -> None:
    engine = open_engine(database.url)
    with open_writer(engine, patient=False) as second, writing(engine):
        with pytest.raises(Exception, match="lock") as refused:
            second.begin()
        assert is_busy(refused.value)
    with open_writer(engine, patient=False) as third, third.begin():
        assert third.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()


def test_a_reader_keeps_its_view_while_another_connection_commits(database: Database) -> None:
    engine = open_engine(database.url)
    count = text("SELECT count(*) FROM budget")
    with reading(engine) as reader:
        before = reader.execute(count).scalar()
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO budget VALUES ('a', 'b', 1)"))
        assert reader.execute(count).scalar() == before
    with reading(engine) as reader:
        assert reader.execute(count).scalar() == 1
    engine.dispose()


def test_a_password_in_the_url_is_not_shown() -> None:
    assert shown("postgresql://a:secret@db/handrail") == "postgresql://a:***@db/handrail"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense", "mysql://a@b/c"])
def test_a_database_without_a_file_or_of_another_kind_is_refused(url: str) -> None:
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
