"""A real record in a scratch directory: real SQLite, real files, a clock the test moves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.db import open_engine
from runtime.record.anchor import FileAnchor
from runtime.record.events import Event, EventKind
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.record.setup import prepare_state
from runtime.schema import upgrade
from runtime.settings import Settings
from tests.standins.databases import lay_out
from tests.standins.patience import PATIENT

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class MovingClock:
    """Ticks a millisecond at each reading; the test may set it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


@dataclass
class Record:
    """A state directory with its anchor, and the ledgers opened on it."""

    settings: Settings
    clock: MovingClock = field(default_factory=MovingClock)
    opened: list[Ledger] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.settings.state_dir / "handrail.db"

    @property
    def anchored(self) -> Path:
        return self.settings.anchor_dir / "checkpoints"

    def open(self, *, max_pages: int | None = None, **options: Any) -> Ledger:
        """Open the ledger as `open_ledger` does, with a moving clock."""
        engine = open_engine(self.settings.database, max_pages=max_pages)
        upgrade(engine)
        anchor = FileAnchor(self.settings.anchor_dir, self.settings.state_dir)
        keys = load_keys(self.settings.keys_dir)
        options.setdefault("limits", PATIENT)
        ledger = Ledger(engine, keys, anchor, self.clock, lock_file=self.settings.lock_file, **options)
        self.opened.append(ledger)
        return ledger

    def event(self, number: int = 0, **fields: Any) -> Event:
        """Return an intent with a payload; any field can be given."""
        given = {
            "kind": EventKind.SESSION_NOTED,
            "at": self.clock(),
            "actor": "agent",
            "agent": "finance",
            "deployment": "d" * 64,
            "run": "run-1",
            "subject": f"act-{number}",
            "data": {"tool": "mail.send", "number": number},
            "payload": {"text": f"a secret number {number}"},
        }
        return Event(**(given | fields))

    def fill(self, ledger: Ledger, count: int) -> None:
        """Append `count` intents, one unit each."""
        for number in range(count):
            event = self.event(number)
            ledger.write_sync(lambda tx, event=event: tx.append(event))


@pytest.fixture
def new_record(tmp_path: Path) -> Iterator[Callable[[str], Record]]:
    """Make a prepared, empty record by name."""
    made: list[Record] = []

    def make(name: str) -> Record:
        root = tmp_path / name
        record = Record(Settings(state_dir=root / "state", anchor_dir=root / "anchor"))
        lay_out(record.database)
        prepare_state(record.settings)
        made.append(record)
        return record

    yield make
    for record in made:
        for ledger in record.opened:
            ledger.close()


@pytest.fixture
def record(new_record: Callable[[str], Record]) -> Record:
    """One prepared, empty record."""
    return new_record("one")
