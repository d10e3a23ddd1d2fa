"""The record on PostgreSQL: rows that stay, a server that goes and comes back, several processes at once."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from runtime.clock import utc_now
from runtime.db import open_engine, reading, writing
from runtime.errors import DatabaseError, LedgerUnavailableError
from runtime.people.pin import PIN_NAME
from runtime.record.anchor import FileAnchor
from runtime.record.events import Event, EventKind
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger, Limits
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.verify import verify_state
from runtime.schema import MIGRATIONS, database_version
from runtime.settings import Settings
from runtime.tables.log import LogCheckpointRow, LogEntryRow
from tests.standins.databases import Database
from tests.standins.house import join
from tests.standins.patience import PATIENT
from tests.standins.postgres import ADMIN, Postgres

WRITERS, UNITS = 3, 40
WRITER = """
import sys
from runtime.record.events import Event, EventKind
from runtime.record.setup import open_ledger
from runtime.settings import Settings
state, anchor, url, name, units = sys.argv[1:]
ledger = open_ledger(Settings(state_dir=state, anchor_dir=anchor, database_url=url))
for number in range(int(units)):
    def unit(tx):
        said = {"actor": name, "subject": str(number), "payload": {"number": number}}
        return tx.append(Event(kind=EventKind.SESSION_NOTED, at=tx.now, **said))
    ledger.write_sync(unit)
ledger.close()
"""


@pytest.fixture
def settings(tmp_path: Path, postgresql: Database) -> Settings:
    node = tmp_path / "one"
    made = Settings(state_dir=node / "state", anchor_dir=node / "anchor", database_url=postgresql.url)
    prepare_state(made)
    (made.state_dir / PIN_NAME).touch()  # what `init` writes; no person speaks here
    return made


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    opened = open_ledger(settings, limits=PATIENT)
    yield opened
    opened.close()


def say(ledger: Ledger, subject: str = "x") -> int:
    event = Event(
        kind=EventKind.SESSION_NOTED, at=utc_now(), actor="agent", subject=subject, payload={"a": 1}
    )
    return ledger.write_sync(lambda tx: tx.append(event))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE log_entry SET actor = 'nobody'",
        "UPDATE log_entry SET seq = seq + 100",
        "DELETE FROM log_entry",
        "TRUNCATE log_entry CASCADE",
        "UPDATE log_payload SET sealed = ''",
        "DELETE FROM log_checkpoint",
        "UPDATE log_checkpoint SET size = 7",
        "UPDATE statement SET id = 'x'",
        "TRUNCATE statement CASCADE",
    ],
)
@pytest.mark.parametrize("user", ["handrail", ADMIN])
def test_rows_of_the_record_stay_as_they_were_written(
    ledger: Ledger, postgresql: Database, sql: str, user: str
) -> None:
    """R-10: neither Handrail's own user nor an administrator changes them by mistake."""
    say(ledger)
    ledger.checkpoint()
    assert postgresql.server is not None
    with postgresql.server.shell(postgresql.name, user) as shell:
        shell.execute(
            "INSERT INTO statement VALUES ('s', 'n', 't', 'p', 'x', '', '', '2026-11-21T09:00:00.000000Z')"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            shell.execute(sql)


def test_a_changed_entry_is_found_all_the_same(
    ledger: Ledger, settings: Settings, postgresql: Database
) -> None:
    """The owner of the tables can take the trigger away; then the tree tells."""
    say(ledger)
    ledger.close()
    assert verify_state(settings).findings == ()

    postgresql.tamper("UPDATE log_entry SET subject = 'y' WHERE subject = 'x'")

    (finding,) = verify_state(settings).findings
    assert "subject" in str(finding)


def test_several_processes_write_one_record(settings: Settings, tmp_path: Path, postgresql: Database) -> None:
    """Issue item 9: no entry is lost, none stands twice, and every node's anchor proves the same tree."""
    open_ledger(settings).close()
    for number in range(1, WRITERS):
        join(tmp_path / str(number), tmp_path / "one")
    places = [tmp_path / "one", *(tmp_path / str(number) for number in range(1, WRITERS))]
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "-c", WRITER, str(place / "state"), str(place / "anchor")),
                *(postgresql.url, place.name, str(UNITS)),
            ],
            cwd=MIGRATIONS.parents[1],
        )
        for place in places
    ]
    assert [process.wait(timeout=120) for process in started] == [0] * WRITERS

    engine = open_engine(postgresql.url)
    with reading(engine) as conn:
        rows = conn.execute(select(LogEntryRow.actor, LogEntryRow.subject)).all()
    engine.dispose()
    said = sorted(
        (row.actor, row.subject) for row in rows if row.subject is not None and row.subject.isdigit()
    )
    assert said == sorted((place.name, str(number)) for place in places for number in range(UNITS))
    for place in places:
        node = settings.model_copy(update={"state_dir": place / "state", "anchor_dir": place / "anchor"})
        report = verify_state(node)
        assert (report.findings, report.anchor.anchored) == ((), True)


def test_a_unit_waits_its_turn_while_another_process_writes(ledger: Ledger, postgresql: Database) -> None:
    engine = open_engine(postgresql.url)
    with writing(engine):
        waiting = ledger.submit(lambda tx: tx.append(Event(kind=EventKind.SESSION_NOTED, at=tx.now)))
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
    assert waiting.result(10) > 0
    engine.dispose()


def test_a_record_that_waits_too_long_denies(settings: Settings, postgresql: Database) -> None:
    """No record, no action: the wait is bounded."""
    ledger = open_ledger(settings, limits=Limits(wait_seconds=0.3))
    engine = open_engine(postgresql.url)
    with writing(engine), pytest.raises(LedgerUnavailableError):
        ledger.write_sync(lambda tx: tx.append(Event(kind=EventKind.SESSION_NOTED, at=tx.now)))
    engine.dispose()
    ledger.close()


def test_the_record_goes_on_after_a_restart_of_the_server(tmp_path: Path, postgres: Postgres) -> None:
    name = postgres.create()
    settings = Settings(
        state_dir=tmp_path / "state", anchor_dir=tmp_path / "anchor", database_url=postgres.url(name)
    )
    prepare_state(settings)
    ledger = open_ledger(settings)
    before = say(ledger)
    postgres.stop()
    try:
        for _ in range(2):
            with pytest.raises(LedgerUnavailableError):
                say(ledger)
    finally:
        postgres.start()

    assert say(ledger) == before + 1
    ledger.close()
    assert verify_state(settings).findings == ()
    postgres.drop(name)


def test_two_nodes_whose_clocks_differ_a_little_are_no_anomaly(
    settings: Settings, tmp_path: Path, ledger: Ledger
) -> None:
    """F2: time in the record never goes back, and only a real step back is one."""
    join(tmp_path / "two", tmp_path / "one")
    other = settings.model_copy(
        update={"state_dir": tmp_path / "two" / "state", "anchor_dir": tmp_path / "two" / "anchor"}
    )
    for seconds, anomalies in ((1, 0), (60, 1)):
        say(ledger)
        behind = timedelta(seconds=seconds)
        second = Ledger(
            open_engine(other.database),
            load_keys(other.keys_dir),
            FileAnchor(other.anchor_dir, other.state_dir),
            lambda behind=behind: utc_now() - behind,
            lock_file=other.lock_file,
            limits=PATIENT,
        )
        said = second.write_sync(
            lambda tx: (tx.now, tx.append(Event(kind=EventKind.SESSION_NOTED, at=tx.now)))
        )
        second.close()
        with ledger.read() as conn:
            kinds = list(conn.execute(select(LogEntryRow.kind).order_by(LogEntryRow.seq)).scalars())
        assert kinds.count("clock.anomaly") == anomalies
        assert said[0] > utc_now() - timedelta(seconds=30)


def test_a_checkpoint_that_a_crash_kept_from_the_database_comes_back_though_others_went_on(
    settings: Settings, tmp_path: Path, postgresql: Database
) -> None:
    first = open_ledger(settings, limits=PATIENT)
    say(first)
    first.close()
    size = max(_checkpoints(postgresql))
    postgresql.tamper("DELETE FROM log_checkpoint WHERE size = :size", {"size": size})
    join(tmp_path / "two", tmp_path / "one")
    other = settings.model_copy(
        update={"state_dir": tmp_path / "two" / "state", "anchor_dir": tmp_path / "two" / "anchor"}
    )
    second = open_ledger(other, limits=PATIENT)
    say(second)
    second.close()
    assert size not in _checkpoints(postgresql)

    open_ledger(settings).close()

    assert size in _checkpoints(postgresql)
    assert verify_state(settings).findings == ()


def test_two_nodes_that_begin_at_once_upgrade_the_database_once(postgres: Postgres, tmp_path: Path) -> None:
    name = postgres.create()
    settings = Settings(
        state_dir=tmp_path / "one" / "state",
        anchor_dir=tmp_path / "one" / "anchor",
        database_url=postgres.url(name),
    )
    prepare_state(settings)
    (settings.state_dir / PIN_NAME).touch()
    join(tmp_path / "two", tmp_path / "one")
    other = settings.model_copy(
        update={"state_dir": tmp_path / "two" / "state", "anchor_dir": tmp_path / "two" / "anchor"}
    )
    failed: list[BaseException] = []

    def begin(node: Settings) -> None:
        try:
            open_ledger(node).close()
        except BaseException as error:  # noqa: BLE001 told to the test below
            failed.append(error)

    threads = [threading.Thread(target=begin, args=(node,)) for node in (settings, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert verify_state(settings).findings == ()
    postgres.drop(name)


def test_the_versions_lead_back_to_an_empty_database(postgres: Postgres) -> None:
    name = postgres.create()
    engine = open_engine(postgres.url(name))
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    for step in (command.upgrade, command.downgrade):
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            step(config, "head" if step is command.upgrade else "base")
    assert database_version(engine) is None
    with reading(engine) as connection:
        left = connection.execute(text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'handrail%'"))
        assert left.scalar() == 0
    engine.dispose()
    postgres.drop(name)


def test_a_server_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    settings = Settings(
        state_dir=tmp_path / "state",
        anchor_dir=tmp_path / "anchor",
        database_url=f"postgresql://me:secret@/none?host={tmp_path}",
    )
    with pytest.raises(DatabaseError, match="cannot be reached") as refused:
        prepare_state(settings)
    assert "secret" not in str(refused.value)


def _checkpoints(database: Database) -> set[int]:
    engine = open_engine(database.url)
    with reading(engine) as connection:
        found = set(connection.execute(select(LogCheckpointRow.size)).scalars())
    engine.dispose()
    return found
