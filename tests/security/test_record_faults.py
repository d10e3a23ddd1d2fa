"""Threat: the machine fails under the record. What was acknowledged stays; what cannot be kept is denied."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from runtime.clock import utc_now
from runtime.db import open_engine
from runtime.errors import KeyFileError, LedgerIntegrityError, LedgerUnavailableError
from runtime.record.anchor import FileAnchor
from runtime.record.events import Event, EventKind
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.trace import tail
from runtime.record.verify import verify_state
from runtime.schema import upgrade
from runtime.settings import Settings
from tests.standins.disks import fill_up, mounted
from tests.standins.patience import PATIENT

STEPS = [
    "batch.begun",
    "batch.run",
    "batch.flushed",
    "batch.committed",
    "checkpoint.signed",
    "checkpoint.anchored",
    "checkpoint.stored",
]

# Appends for ever, prints the number of every acknowledged entry; kills itself at the count-th such step.
WRITER = """
import os, signal, sys
from pathlib import Path
from runtime.clock import utc_now
from runtime.db import open_engine
from runtime.record.anchor import FileAnchor
from runtime.record.events import Event, EventKind
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger, Limits
from runtime.settings import Settings

root, step, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
settings = Settings(state_dir=root / "state", anchor_dir=root / "anchor")
left = {step: count}

def on_step(name):
    left[name] = left.get(name, 0) - 1
    if left[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

ledger = Ledger(
    open_engine(settings.database), load_keys(settings.keys_dir),
    FileAnchor(settings.anchor_dir, settings.state_dir), utc_now,
    lock_file=settings.lock_file, limits=Limits(checkpoint_entries=10, wait_seconds=60), on_step=on_step,
)
while True:
    event = Event(kind=EventKind.SESSION_NOTED, at=utc_now(), subject="act", payload={"text": "secret"})
    print(ledger.write_sync(lambda tx: tx.append(event)), flush=True)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(state_dir=tmp_path / "state", anchor_dir=tmp_path / "anchor")
    prepare_state(settings)
    return settings


@pytest.fixture
def ledger(settings: Settings) -> Iterator[Ledger]:
    ledger = open_ledger(settings, limits=PATIENT)
    yield ledger
    ledger.close()


def intent(text: str = "secret") -> Event:
    return Event(kind=EventKind.SESSION_NOTED, at=utc_now(), subject="act", payload={"text": text})


def run_writer(root: Path, step: str, count: int) -> list[int]:
    """Run the writer until it kills itself at a step; return what it acknowledged."""
    process = start_writer(root, step, count)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, errors
    return [int(line) for line in out.splitlines()]


def kill_writer(root: Path, lines: int) -> list[int]:
    """Run the writer, kill it once it has acknowledged so many entries; return all that it acknowledged."""
    process = start_writer(root, "never", 0)
    assert process.stdout is not None
    first = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    out, _errors = process.communicate(timeout=60)
    whole = out[: out.rfind("\n") + 1]
    return [int(line) for line in (*first, *whole.splitlines())]


def start_writer(root: Path, step: str, count: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", WRITER, str(root), step, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def recorded(settings: Settings) -> set[int]:
    """Open the record again, as a restarted process does, and return the numbers of its intents."""
    ledger = open_ledger(settings, limits=PATIENT)
    with ledger.read() as connection:
        entries = list(tail(connection, ledger.keyring, after=-1))
    ledger.close()
    return {entry.leaf.seq for entry in entries if entry.leaf.kind is EventKind.SESSION_NOTED}


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_nothing_acknowledged(settings: Settings, tmp_path: Path, step: str) -> None:
    """R-10."""
    open_ledger(settings).close()
    acknowledged = run_writer(tmp_path, step, 3)

    assert set(acknowledged) <= recorded(settings)
    report = verify_state(settings)
    assert (report.findings, report.exit_code) == ((), 0)


def test_a_kill_at_any_moment_loses_nothing_acknowledged(settings: Settings, tmp_path: Path) -> None:
    """R-10; the action path's own test kills a hundred times."""
    open_ledger(settings).close()
    acknowledged: list[int] = []
    for lines in (1, 2, 7, 30):
        acknowledged += kill_writer(tmp_path, lines)

    assert set(acknowledged) <= recorded(settings)
    report = verify_state(settings)
    assert (report.findings, report.exit_code) == ((), 0)


@pytest.mark.parametrize("name", ["handrail.db", "handrail.db-wal"])
@pytest.mark.parametrize("replaced", [False, True], ids=["deleted", "replaced"])
def test_a_deleted_or_replaced_database_stops_writes(
    settings: Settings, ledger: Ledger, name: str, *, replaced: bool
) -> None:
    """F23: SQLite writes on into a deleted file without an error; we do not."""
    ledger.write_sync(lambda tx: tx.append(intent()))
    file = settings.state_dir / name
    copy = shutil.copy(file, file.with_suffix(".copy"))
    file.unlink()
    if replaced:
        Path(copy).rename(file)

    for _ in range(2):
        with pytest.raises(LedgerIntegrityError, match=r"deleted|replaced"):
            ledger.write_sync(lambda tx: tx.append(intent()))
    with pytest.raises(LedgerIntegrityError):
        ledger.submit(lambda _tx: None).result(5)


def test_a_deleted_database_is_not_made_anew_and_comes_back_whole(settings: Settings) -> None:
    """F23: an empty file in its place would end the write-ahead log, and with it what was acknowledged."""
    ledger = open_ledger(settings, limits=PATIENT)
    acknowledged = ledger.write_sync(lambda tx: tx.append(intent()))
    file, aside = settings.state_dir / "handrail.db", settings.state_dir / "aside.db"
    file.rename(aside)

    for _ in range(3):
        with suppress(DBAPIError), ledger.read(), ledger.read(), ledger.read():
            pass
    with pytest.raises(LedgerIntegrityError, match="is gone"):
        open_ledger(settings)
    assert not file.exists()
    aside.rename(file)
    report = verify_state(settings)
    ledger.close()

    assert report.findings == ()
    assert report.entries > acknowledged


def test_a_head_moved_behind_our_back_stops_writes(settings: Settings, ledger: Ledger) -> None:
    ledger.write_sync(lambda tx: tx.append(intent()))
    with sqlite3.connect(settings.state_dir / "handrail.db") as connection:
        connection.execute("UPDATE log_head SET size = 0, frontier = x''")

    with pytest.raises(LedgerIntegrityError, match="head"):
        ledger.write_sync(lambda tx: tx.append(intent()))


def bounded_ledger(settings: Settings, max_pages: int) -> Ledger:
    engine = open_engine(settings.database, max_pages=max_pages)
    upgrade(engine)
    anchor = FileAnchor(settings.anchor_dir, settings.state_dir)
    keys = load_keys(settings.keys_dir)
    return Ledger(engine, keys, anchor, utc_now, lock_file=settings.lock_file, limits=PATIENT)


def fill_until_denied(ledger: Ledger) -> tuple[list[int], LedgerUnavailableError]:
    acknowledged = []
    while True:
        try:
            acknowledged.append(ledger.write_sync(lambda tx: tx.append(intent("x" * 9000))))
        except LedgerUnavailableError as error:
            return acknowledged, error


def test_a_full_database_denies_and_keeps_what_it_acknowledged(settings: Settings) -> None:
    """F23: audit disk full, by SQLite's own bound."""
    open_ledger(settings).close()
    ledger = bounded_ledger(settings, max_pages=300)

    acknowledged, error = fill_until_denied(ledger)
    ledger.close()

    assert str(error) == "the record could not commit: database or disk is full", "no SQL, no advice"
    assert len(acknowledged) > 10
    assert set(acknowledged) <= recorded(settings)
    assert verify_state(settings).findings == ()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", "2m") as place:
        yield place


def test_a_full_disk_denies_keeps_and_recovers(small_disk: Path, tmp_path: Path) -> None:
    """F23: audit disk full, by the real thing; once there is room again, the same process goes on."""
    settings = Settings(state_dir=small_disk / "state", anchor_dir=tmp_path / "anchor")
    prepare_state(settings)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 200_000)
    ledger = open_ledger(settings, limits=PATIENT)

    acknowledged, _error = fill_until_denied(ledger)
    ballast.unlink()
    acknowledged.append(ledger.write_sync(lambda tx: tx.append(intent())))
    ledger.close()

    assert set(acknowledged) <= recorded(settings)
    report = verify_state(settings)
    assert (report.findings, report.exit_code) == ((), 0)


def test_a_full_anchor_denies_nothing_but_is_said(small_disk: Path, tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state", anchor_dir=small_disk / "anchor")
    prepare_state(settings)
    ledger = open_ledger(settings, limits=PATIENT)
    fill_up(small_disk / "ballast")
    while ledger.anchor_state().anchored:
        ledger.write_sync(lambda tx: tx.append(intent()))
        ledger.checkpoint()

    assert "UNANCHORED" in str(ledger.anchor_state())
    (small_disk / "ballast").unlink()
    ledger.write_sync(lambda tx: tx.append(intent()))
    ledger.checkpoint()
    ledger.close()

    assert verify_state(settings).exit_code == 0


@pytest.mark.parametrize("name", ["wrap.key", "checkpoint.key"])
@pytest.mark.parametrize("fault", ["missing", "open to others", "empty", "garbage", "a directory"])
def test_an_unusable_key_is_named_and_never_made_anew(settings: Settings, name: str, fault: str) -> None:
    open_ledger(settings).close()
    key = settings.keys_dir / name
    text = key.read_text()
    key.unlink()
    if fault == "a directory":
        key.mkdir(mode=0o700)
    elif fault != "missing":
        key.write_text({"open to others": text, "empty": "", "garbage": "\xe9 garbage"}[fault])
        key.chmod(0o644 if fault == "open to others" else 0o600)

    with pytest.raises(KeyFileError, match=name.replace(".", r"\.")):
        open_ledger(settings)
    with pytest.raises(KeyFileError):
        prepare_state(settings)


def test_keys_are_not_made_for_a_record_that_exists(settings: Settings) -> None:
    open_ledger(settings).close()
    shutil.rmtree(settings.keys_dir)

    with pytest.raises(KeyFileError, match="has no keys"):
        prepare_state(settings)


def test_a_planted_plaintext_is_in_no_file(settings: Settings, ledger: Ledger) -> None:
    """R-48: encryption at rest, in the database, its write-ahead log and the anchor."""
    planted = "planted-4929-1111-2222-3333"
    seq = ledger.write_sync(lambda tx: tx.append(intent(planted)))
    ledger.checkpoint()

    files = [path for path in settings.state_dir.parent.rglob("*") if path.is_file()]
    assert any(path.name == "handrail.db-wal" for path in files)
    assert [path for path in files if planted.encode() in path.read_bytes()] == []
    assert ledger.entry(seq).payload == {"text": planted}


@pytest.mark.parametrize("name", ["wrap.key", "checkpoint.key"])
def test_secret_keys_are_private_files(settings: Settings, name: str) -> None:
    assert (settings.keys_dir / name).stat().st_mode & 0o777 == 0o600
    assert settings.keys_dir.stat().st_mode & 0o777 == 0o700
