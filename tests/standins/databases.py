"""Both databases for tests: the fixture `database` runs a test on SQLite and on PostgreSQL.

    def test_something(database: Database, tmp_path: Path) -> None:
        settings = Settings(state_dir=tmp_path / "state", anchor_dir=tmp_path / "anchor",
                            database_url=database.url)

Where PostgreSQL is not installed its half is skipped, and says so.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from runtime.db import open_engine
from runtime.schema import upgrade
from tests.standins.postgres import Postgres, programs, running

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
RULE_BROKEN = (sqlite3.IntegrityError, psycopg.IntegrityError)
"""What either driver raises where a row breaks a constraint."""
_MISSING = "PostgreSQL is not installed; `make host-tools` does that"


@dataclass(frozen=True)
class Database:
    """An empty database of one test, at this code's version.

    Attributes:
        kind: `sqlite` or `postgresql`.
        url: what `Settings.database_url` takes.
        server: the server, of PostgreSQL.
        name: the file, or the database's name at the server.
    """

    kind: str
    url: str
    server: Postgres | None
    name: str

    def tamper(self, statement: str, values: Mapping[str, object] | None = None) -> None:
        """Change it by hand, as someone with the database's full rights: no trigger, no key is in the way.

        Args:
            statement: SQL; its parameters are written `:name`.
            values: of the parameters.
        """
        if self.server is None:
            with closing(sqlite3.connect(self.name, timeout=5)) as file, file:
                changed = file.execute(statement, values or {}).rowcount
        else:
            with self.server.shell(self.name) as shell:
                shell.execute("SET session_replication_role = replica")
                known = values or {}
                changed = shell.execute(_in_postgresql(statement, known), known).rowcount
        assert changed, "the attack changed nothing"


_SPELLINGS = (
    (r"%", "%%"),
    (r"(?<=\s)freeze\b", '"freeze"'),  # a word of its own there
    (r"INSERT OR REPLACE (.*)", r"INSERT \1 ON CONFLICT DO NOTHING"),
    (
        r"CAST\(replace\(CAST\((\w+) AS TEXT\), (.*?), (.*?)\) AS BLOB\)",
        r"convert_to(replace(convert_from(\1, 'UTF8'), \2, \3), 'UTF8')",
    ),
)


def _in_postgresql(statement: str, names: Iterable[str]) -> bytes:
    """Spell an attack written for SQLite as PostgreSQL does."""
    for pattern, spelling in _SPELLINGS:
        statement = re.sub(pattern, spelling, statement, flags=re.DOTALL)
    for name in names:
        statement = re.sub(rf":{name}\b", f"%({name})s", statement)
    return statement.encode()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole session; skips, aloud, where there is none."""
    found = programs()
    if found is None:
        pytest.skip(_MISSING)
    with running(found) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_name(postgres: Postgres) -> str:
    """A database at this code's version, which tests use in turn."""
    name = postgres.create()
    _upgrade(postgres.url(name))
    return name


@pytest.fixture
def postgresql(postgres: Postgres, postgres_name: str) -> Iterator[Database]:
    """A database without a row on PostgreSQL; a test that changes its settings or shape makes its own."""
    yield Database(POSTGRESQL, postgres.url(postgres_name), postgres, postgres_name)
    postgres.empty(postgres_name)


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    """A fresh database on SQLite; its file lies in a state directory's place."""
    file = tmp_path / "database" / "handrail.db"
    lay_out(file)
    return Database(SQLITE, f"sqlite:///{file}", None, str(file))


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def blank_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind in turn, without any table."""
    if request.param == SQLITE:
        file = tmp_path / "blank.db"
        yield Database(SQLITE, f"sqlite:///{file}", None, str(file))
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create()
    yield Database(POSTGRESQL, server.url(name), server, name)
    server.drop(name)


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh database of each kind in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found


def lay_out(file: Path) -> None:
    """Make an SQLite database without a row, at this code's version; one that is there already stays."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_empty())


@cache
def _empty() -> bytes:
    """What such a database's file holds: the migrations run once in a process, not once in a test."""
    with TemporaryDirectory() as directory:
        file = Path(directory, "handrail.db")
        _upgrade(f"sqlite:///{file}")
        return file.read_bytes()


def _upgrade(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
