"""Threat: someone with write access to the database changes the record, in one place or wholly.

The record's fixtures live beside its own tests; here the same state is built through the public functions.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.clock import utc_now
from runtime.errors import LedgerIntegrityError
from runtime.record.events import Event, EventKind
from runtime.record.findings import FindingKind, VerifyReport
from runtime.record.ledger import Ledger
from runtime.record.merkle import Frontier, leaf_hash
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.verify import verify_state
from runtime.settings import Settings
from runtime.tables import log, metadata
from tests.standins.patience import PATIENT

ENTRIES = 20
LOG_TABLES = [table for table in metadata.sorted_tables if table.name.startswith("log_")]
COLUMNS = [(table.name, column.name) for table in LOG_TABLES for column in table.columns]


def append(ledger: Ledger, count: int) -> None:
    for number in range(count):
        event = Event(
            kind=EventKind.SESSION_NOTED,
            at=utc_now(),
            actor="agent",
            agent="finance",
            deployment="d" * 64,
            run="run-1",
            subject=f"act-{number}",
            data={"tool": "mail.send", "number": number},
            payload={"text": f"secret {number}"},
        )
        ledger.write_sync(lambda tx, event=event: tx.append(event))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record of some twenty entries, the last five after the last checkpoint but one."""
    root = tmp_path_factory.mktemp("record")
    settings = settings_in(root)
    prepare_state(settings)
    ledger = open_ledger(settings, limits=PATIENT)
    append(ledger, ENTRIES - 5)
    ledger.checkpoint()
    append(ledger, 5)
    ledger.close()
    return root


def settings_in(root: Path) -> Settings:
    return Settings(state_dir=root / "state", anchor_dir=root / "anchor")


@pytest.fixture
def settings(built: Path, tmp_path: Path) -> Settings:
    """A copy of that record to do harm to."""
    shutil.copytree(built, tmp_path / "copy")
    return settings_in(tmp_path / "copy")


Tamper = Callable[..., None]


@pytest.fixture
def tamper(settings: Settings) -> Iterator[Tamper]:
    """Run statements on the database behind everyone's back."""
    connection = sqlite3.connect(settings.state_dir / "handrail.db")

    def run(*statements: str, **values: Any) -> None:
        with connection:
            for statement in statements:
                connection.execute(statement, values)

    yield run
    connection.close()


def found(report: VerifyReport) -> list[tuple[FindingKind, str, str | None, int | str | None]]:
    return [(item.kind, item.where, item.column, item.row) for item in report.findings]


def test_an_untouched_record_is_intact_and_anchored(settings: Settings) -> None:
    report = verify_state(settings)

    assert report.findings == ()
    assert report.exit_code == 0
    assert report.anchored_range == (0, report.entries - 1)
    assert report.unanchored_range is None
    assert report.entries == ENTRIES + 2


def changed_value(value: Any) -> Any:
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    return value + 1000 if isinstance(value, int) else f"{value}x"


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=".".join)
def test_any_changed_column_is_named(settings: Settings, tamper: Tamper, table: str, column: str) -> None:
    """Every column of every table of the record, in a row in the middle of it."""
    key = next(item.name for item in metadata.tables[table].primary_key.columns)
    with sqlite3.connect(settings.state_dir / "handrail.db") as connection:
        query = f"SELECT {key}, {column} FROM {table} ORDER BY {key}"  # noqa: S608 names from our metadata
        rows = connection.execute(query).fetchall()
    row, value = rows[len(rows) // 2]

    change = f"UPDATE {table} SET {column} = :new WHERE {key} = :key"  # noqa: S608 names from our metadata
    tamper(change, new=changed_value(value), key=row)

    report = verify_state(settings)
    where = row if column != key or table == "log_head" else changed_value(row)
    named = {(item.where, item.column, item.row) for item in report.findings}
    assert report.exit_code == 5
    assert (table, column, where) in named, report.findings


def test_the_tables_of_the_record_are_all_covered() -> None:
    ours = {getattr(log, name).__tablename__ for name in dir(log) if name.endswith("Row")}

    assert {table for table, _ in COLUMNS} == ours


def test_a_changed_leaf_is_told_from_a_changed_hash(settings: Settings, tamper: Tamper) -> None:
    tamper("UPDATE log_entry SET leaf_hash = randomblob(32) WHERE seq = 5")
    tamper("UPDATE log_entry SET leaf = CAST(replace(leaf, 'mail', 'male') AS BLOB) WHERE seq = 20")

    named = found(verify_state(settings))

    assert (FindingKind.COLUMN_CHANGED, "log_entry", "leaf_hash", 5) in named
    assert (FindingKind.COLUMN_CHANGED, "log_entry", "leaf", 20) in named


def test_a_deleted_row_is_a_gap(settings: Settings, tamper: Tamper) -> None:
    tamper("DELETE FROM log_payload WHERE seq = 9", "DELETE FROM log_entry WHERE seq = 9")

    report = verify_state(settings)

    assert (FindingKind.ROW_DELETED, "log_entry", None, 9) in found(report)
    assert report.exit_code == 5


def test_deleting_the_first_row_is_a_gap(settings: Settings, tamper: Tamper) -> None:
    tamper("DELETE FROM log_entry WHERE seq = 0")

    assert (FindingKind.ROW_DELETED, "log_entry", None, 0) in found(verify_state(settings))


def test_a_truncated_tail_is_named(settings: Settings, tamper: Tamper) -> None:
    tamper("DELETE FROM log_payload WHERE seq >= 18", "DELETE FROM log_entry WHERE seq >= 18")

    named = found(verify_state(settings))

    assert (FindingKind.TAIL_TRUNCATED, "log_entry", None, 18) in named
    assert (FindingKind.ROLLED_BACK, "database", None, None) in named


def cut(settings: Settings, tamper: Tamper, size: int) -> None:
    """Truncate the log as the perfect forger does: the head and the checkpoints as well."""
    with sqlite3.connect(settings.state_dir / "handrail.db") as connection:
        rows = connection.execute(
            "SELECT leaf, at FROM log_entry WHERE seq < ? ORDER BY seq", [size]
        ).fetchall()
    frontier = Frontier()
    for leaf, _ in rows:
        frontier.append(leaf_hash(leaf))
    tamper("DELETE FROM log_payload WHERE seq >= :size", size=size)
    tamper("DELETE FROM log_entry WHERE seq >= :size", size=size)
    tamper("DELETE FROM log_checkpoint WHERE size > :size", size=size)
    tamper(
        "UPDATE log_head SET size = :size, frontier = :frontier, high_water = :at",
        size=size,
        frontier=frontier.to_bytes(),
        at=rows[-1][1],
    )


def test_a_perfectly_truncated_log_is_behind_its_anchor(settings: Settings, tamper: Tamper) -> None:
    """What a plain hash chain cannot see."""
    cut(settings, tamper, 18)

    report = verify_state(settings)

    assert found(report) == [(FindingKind.ROLLED_BACK, "database", None, None)]
    assert report.exit_code == 5


def test_a_log_that_is_truncated_while_it_is_written_takes_no_more(
    settings: Settings, tamper: Tamper
) -> None:
    """The writer keeps the head in mind, and looks again as soon as anyone else has committed."""
    ledger = open_ledger(settings, limits=PATIENT)
    append(ledger, 3)
    cut(settings, tamper, 18)

    with pytest.raises(LedgerIntegrityError, match="the log's head says"):
        append(ledger, 1)
    ledger.close()


def test_an_older_copy_of_the_database_is_behind_its_anchor(settings: Settings, tmp_path: Path) -> None:
    """F22: restored from a backup; it is neither verified nor written to."""
    old = tmp_path / "old.db"
    shutil.copy(settings.state_dir / "handrail.db", old)
    ledger = open_ledger(settings, limits=PATIENT)
    append(ledger, 3)
    ledger.close()
    for name in ("handrail.db-wal", "handrail.db-shm"):
        (settings.state_dir / name).unlink(missing_ok=True)
    shutil.copy(old, settings.state_dir / "handrail.db")

    assert found(verify_state(settings)) == [(FindingKind.ROLLED_BACK, "database", None, None)]
    with pytest.raises(LedgerIntegrityError, match="rolled back"):
        open_ledger(settings)


def test_a_deleted_database_is_no_fresh_start(settings: Settings) -> None:
    (settings.state_dir / "handrail.db").unlink()

    report = verify_state(settings)

    assert [item.kind for item in report.findings] == [FindingKind.UNREADABLE, FindingKind.ROLLED_BACK]
    with pytest.raises(LedgerIntegrityError, match="is gone"):
        open_ledger(settings)
    assert not (settings.state_dir / "handrail.db").exists()


def test_an_emptied_database_is_no_fresh_start(settings: Settings) -> None:
    (settings.state_dir / "handrail.db").write_bytes(b"")

    with pytest.raises(LedgerIntegrityError, match="rolled back"):
        open_ledger(settings)


def test_a_file_that_is_no_database_is_a_finding(settings: Settings) -> None:
    (settings.state_dir / "handrail.db").write_bytes(b"not a database" * 500)

    assert verify_state(settings).findings[0].kind is FindingKind.UNREADABLE


def test_a_rewritten_tail_does_not_lead_to_the_signed_root(settings: Settings, tamper: Tamper) -> None:
    """A consistent rewrite of leaf, hash and columns, and of the head, still meets the anchor."""
    with sqlite3.connect(settings.state_dir / "handrail.db") as connection:
        rows = connection.execute("SELECT seq, leaf FROM log_entry ORDER BY seq").fetchall()
    leaves = {seq: leaf.replace(b"act-12", b"act-99") for seq, leaf in rows}
    frontier = Frontier()
    for seq, leaf in leaves.items():
        frontier.append(leaf_hash(leaf))
        tamper(
            "UPDATE log_entry SET leaf = :leaf, leaf_hash = :hash WHERE seq = :seq",
            leaf=leaf,
            hash=leaf_hash(leaf),
            seq=seq,
        )
    tamper("UPDATE log_entry SET subject = 'act-99' WHERE subject = 'act-12'")
    tamper("UPDATE log_head SET frontier = :frontier", frontier=frontier.to_bytes())

    report = verify_state(settings)

    assert [item.kind for item in report.findings] == [FindingKind.ROOT_DIFFERS]
    assert report.anchored_range == (0, 1)


def test_a_row_added_by_hand_is_named(settings: Settings, tamper: Tamper) -> None:
    tamper(
        "INSERT INTO log_entry (seq, leaf, leaf_hash, at, kind) SELECT 22, leaf, leaf_hash, at, kind "
        "FROM log_entry WHERE seq = 5",
        "INSERT INTO log_data_key (id, wrapped) VALUES ('2099-01', x'00')",
        "INSERT INTO log_head SELECT 2, origin, size, frontier, high_water FROM log_head",
        "INSERT INTO log_payload SELECT 0, key_id, sealed FROM log_payload WHERE seq = 6",
    )

    named = found(verify_state(settings))

    assert (FindingKind.ROW_ADDED, "log_entry", None, 22) in named
    assert (FindingKind.ROW_ADDED, "log_data_key", None, "2099-01") in named
    assert (FindingKind.ROW_ADDED, "log_head", None, 2) in named
    assert (FindingKind.ROW_ADDED, "log_payload", None, 0) in named


def test_a_deleted_payload_key_checkpoint_and_head_are_named(settings: Settings, tamper: Tamper) -> None:
    tamper(
        "DELETE FROM log_payload WHERE seq = 7",
        "DELETE FROM log_data_key",
        "DELETE FROM log_checkpoint WHERE size = 2",
        "DELETE FROM log_head",
    )

    kinds = {(item.kind, item.where) for item in verify_state(settings).findings}

    assert kinds == {
        (FindingKind.ROW_DELETED, table)
        for table in ("log_payload", "log_data_key", "log_checkpoint", "log_head")
    }


def test_another_key_is_named(settings: Settings, tmp_path: Path) -> None:
    other = settings_in(tmp_path / "other")
    prepare_state(other)
    shutil.copytree(other.keys_dir, settings.keys_dir, dirs_exist_ok=True)

    assert found(verify_state(settings)) == [(FindingKind.KEY_REPLACED, "keys", None, None)]
    with pytest.raises(LedgerIntegrityError):
        open_ledger(settings)


def test_a_wholly_replaced_record_with_its_own_keys_meets_the_anchor(
    settings: Settings, tmp_path: Path
) -> None:
    """The attacker owns the state directory and writes a new, consistent record; the anchor is elsewhere."""
    other = settings_in(tmp_path / "other")
    prepare_state(other)
    ledger = open_ledger(other, limits=PATIENT)
    append(ledger, 40)
    ledger.close()
    shutil.rmtree(settings.state_dir)
    shutil.copytree(other.state_dir, settings.state_dir)

    kinds = {item.kind for item in verify_state(settings).findings}

    assert {FindingKind.KEY_REPLACED, FindingKind.CHECKPOINT_FORGED, FindingKind.ROOT_DIFFERS} <= kinds


def test_a_forged_checkpoint_in_the_anchor_is_named(settings: Settings) -> None:
    file = settings.anchor_dir / "checkpoints"
    lines = file.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace("\\n17\\n", "\\n16\\n")
    file.write_text("".join(lines))

    assert (FindingKind.CHECKPOINT_FORGED, "anchor", "note", "line 2") in found(verify_state(settings))


def test_a_torn_line_in_the_anchor_harms_nothing(settings: Settings) -> None:
    with (settings.anchor_dir / "checkpoints").open("a") as file:
        file.write('{"note": "handrail/log')
    ledger = open_ledger(settings, limits=PATIENT)
    append(ledger, 1)
    ledger.close()

    report = verify_state(settings)

    assert report.exit_code == 0
    assert "torn" in report.warnings[0]


@pytest.mark.parametrize("place", ["missing", "inside"])
def test_without_an_anchor_the_exit_code_is_5(settings: Settings, place: str) -> None:
    inside = settings.state_dir / "anchor"
    shutil.move(settings.anchor_dir, inside)
    moved = Settings(
        state_dir=settings.state_dir, anchor_dir=inside if place == "inside" else settings.anchor_dir
    )

    report = verify_state(moved)

    assert report.findings == ()
    assert str(report.anchor).startswith("UNANCHORED")
    assert report.exit_code == 5


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("log_payload", "sealed"),
        ("log_entry", "leaf_hash"),
        ("log_entry", "actor"),
        ("log_checkpoint", "root"),
    ],
)
def test_a_text_that_is_no_text_is_named_and_the_rest_is_read(
    settings: Settings, tamper: Tamper, table: str, column: str
) -> None:
    """The driver refuses to read such a cell; that makes the database neither unreadable nor rolled back."""
    row = f"SELECT max(rowid) FROM {table}"  # noqa: S608 names from above
    tamper(f"UPDATE {table} SET {column} = CAST(x'ff00fe' AS TEXT) WHERE rowid = ({row})")  # noqa: S608 as above

    report = verify_state(settings)

    assert {(item.kind, item.where, item.column) for item in report.findings} == {
        (FindingKind.COLUMN_CHANGED, table, column)
    }
    assert report.entries == ENTRIES + 2
    assert report.exit_code == 5


@pytest.mark.parametrize("where", ["", "checkpoints"])
def test_an_anchor_that_cannot_be_read_is_a_finding(settings: Settings, where: str) -> None:
    shutil.rmtree(settings.anchor_dir)
    if where:
        (settings.anchor_dir / where).mkdir(parents=True)
    else:
        settings.anchor_dir.touch()

    report = verify_state(settings)

    assert (FindingKind.UNREADABLE, "anchor", None, None) in found(report)
    assert report.exit_code == 5


def test_hostile_types_are_findings_not_crashes(settings: Settings, tamper: Tamper) -> None:
    tamper(
        "UPDATE log_entry SET leaf = 'text' WHERE seq = 4",
        "UPDATE log_entry SET leaf_hash = 17 WHERE seq = 6",
        "UPDATE log_entry SET leaf = x'7b7d' WHERE seq = 8",
        "UPDATE log_payload SET sealed = 'text' WHERE seq = 9",
        "UPDATE log_checkpoint SET note = 5 WHERE size = 2",
        "UPDATE log_checkpoint SET note = x'ff', root = 'r' WHERE size = 17",
        "UPDATE log_head SET frontier = 'text', size = 'many'",
        "UPDATE log_data_key SET wrapped = 'text'",
    )

    report = verify_state(settings)

    assert {item.where for item in report.findings} == {table.name for table in LOG_TABLES}
