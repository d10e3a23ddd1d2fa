# ruff: noqa: S608 - the statements are made of the names of our own tables
"""Nobody with a database shell changes a row of any table without `audit verify` naming it."""

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Boolean, Column, LargeBinary, Table

from runtime.record.findings import Finding, FindingKind
from runtime.record.verify import verify_state
from runtime.settings import Settings
from runtime.tables import metadata
from runtime.tables.types import UtcDateTime
from tests.standins.databases import Database
from tests.standins.everything import ALL, Build

TABLES: Final[Mapping[str, Table]] = metadata.tables
COLUMNS: Final = [(name, column.name) for name, table in TABLES.items() for column in table.columns]
OPERATIONAL: Final[Mapping[str, str]] = {
    "drawn_item.settled": "a list of what waits; gates count the words themselves",
    "lease.token_hash": "of a secret that is thrown away; nothing asks for it",
    "notice.channel": "by which way a notice goes; what it says and whom it tells is held by its id",
    "notice.next_try_at": "when it is tried; a notice is reminded of by what it is about, which is held",
    "notice.tries": "how often it was tried",
    "notice.sent_at": "when it was sent; the entries of sending count them",
    "policy_version.id": "a number of SQLite's; the chain is read by digests",
    "scan.name": "see `UNTOLD`",
    "scan.seq": "see `UNTOLD`",
}
"""Columns that the record does not hold, each with why nobody can be hurt by it."""
UNTOLD: Final[Mapping[tuple[str, str], str]] = {
    ("scan", "deleted"): "how far a job has counted; its counts, which are held, would double",
    ("scan", "added"): "nothing reads it",
    (
        "log_checkpoint",
        "deleted",
    ): "the newest one: the same bytes as after a crash; its note is in the"
    " anchor, the next start stores it again, and `audit verify` warns",
}
"""Tables whose last row may go or come, each with why nobody can be hurt by it."""

Place = Mapping[str, Path]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """By table, the directory of the installation that has the most rows of it."""
    found: dict[str, tuple[int, Path]] = {}
    for name, build in ALL.items():
        directory = tmp_path_factory.mktemp(name.replace(" ", "-"))
        build(directory, None).close()
        with closing(sqlite3.connect(_database(directory))) as file:
            for table in TABLES:
                count = file.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                found[table] = max(found.get(table, (0, directory)), (count, directory))
    return {table: directory for table, (count, directory) in found.items() if count}


@pytest.fixture
def place(places: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of it to do harm to; of the table that the test is about."""
    table = request.getfixturevalue("table")
    assert table in places, f"no installation of `tests.standins.everything` has rows of {table}"
    shutil.copytree(places[table], tmp_path / "copy")
    yield tmp_path / "copy"
    shutil.rmtree(tmp_path / "copy")


def _database(directory: Path) -> Path:
    return directory / "state" / "handrail.db"


def _findings(directory: Path) -> tuple[Finding, ...]:
    settings = Settings(state_dir=directory / "state", anchor_dir=directory / "anchor")
    return verify_state(settings).findings


def _tamper(directory: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(_database(directory))) as file, file:
        file.execute("PRAGMA ignore_check_constraints=ON")
        assert file.execute(statement, values).rowcount == 1


def _row(directory: Path, table: str) -> dict[str, Any]:
    """The table's last row, with its number."""
    with closing(sqlite3.connect(_database(directory))) as file:
        file.row_factory = sqlite3.Row
        return dict(file.execute(f'SELECT rowid AS "#", * FROM "{table}" ORDER BY rowid DESC').fetchone())


def _another(column: Column[Any], value: Any) -> Any:
    """A value that the column can hold, and does not."""
    if isinstance(column.type, UtcDateTime):
        return "2031-01-01T00:00:00.000000Z"
    if isinstance(column.type, Boolean):
        return 1 - int(value or 0)
    if isinstance(column.type, LargeBinary):
        return (value or b"") + b" "
    return (value or 0) + 1 if column.type.python_type is int else f"{value or ''}x"


@pytest.mark.parametrize("build", ALL.values(), ids=ALL)
def test_what_nobody_touched_is_intact(build: Build, database: Database, tmp_path: Path) -> None:
    town = build(tmp_path, database)
    town.close()

    assert verify_state(town.settings).findings == ()


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_column_is_named(place: Path, table: str, column: str) -> None:
    """R-10: or it stands on the list, with why nobody is hurt by it."""
    row = _row(place, table)
    other = _another(TABLES[table].columns[column], row[column])
    _tamper(place, f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', other, row["#"])

    named = any(_names(one, table, column) for one in _findings(place))
    assert named is (f"{table}.{column}" not in OPERATIONAL)


@pytest.mark.parametrize("table", TABLES)
def test_a_deleted_row_is_named(place: Path, table: str) -> None:
    _tamper(place, f'DELETE FROM "{table}" WHERE rowid = ?', _row(place, table)["#"])

    named = any(one.where == table for one in _findings(place))
    assert named is ((table, "deleted") not in UNTOLD)


@pytest.mark.parametrize("table", TABLES)
def test_an_added_row_is_named(place: Path, table: str) -> None:
    row = _row(place, table)
    del row["#"]
    for name in {name for names in _unique(TABLES[table]) for name in names}:
        row[name] = _another(TABLES[table].columns[name], row[name])
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
    _tamper(place, f'INSERT INTO "{table}" ({names}) VALUES ({marks})', *row.values())

    named = any(one.where == table for one in _findings(place))
    assert named is ((table, "added") not in UNTOLD)


def test_every_reason_is_about_a_column_or_a_table_that_there_is() -> None:
    assert OPERATIONAL.keys() <= {f"{table}.{column}" for table, column in COLUMNS}
    assert {table for table, _ in UNTOLD} <= TABLES.keys()


def _names(one: Finding, table: str, column: str) -> bool:
    """Whether a finding names a changed column; a row whose key was changed is one row less, one more."""
    if one.where != table:
        return False
    other_row = one.kind in (FindingKind.ROW_DELETED, FindingKind.ROW_ADDED)
    return other_row if one.column is None else column in one.column


def _unique(table: Table) -> Iterator[tuple[str, ...]]:
    yield tuple(column.name for column in table.primary_key)
    for index in table.indexes:
        if index.unique:
            yield tuple(column.name for column in index.columns)
    for constraint in table.constraints:
        columns = getattr(constraint, "columns", None)
        if columns is not None and type(constraint).__name__ == "UniqueConstraint":
            yield tuple(column.name for column in columns)
