"""Kill -9 at every step of an action's path, and a hundred times at any moment.

No effect without an intent, no acknowledged record lost, every unknown outcome listed.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from runtime.gate.steps import STEPS
from runtime.record.events import EventKind
from runtime.record.reconcile import open_actions
from runtime.record.verify import verify_state
from tests.standins.crashing import reopen, roomy_profile
from tests.standins.persons import Town
from tests.standins.towns import SVEN
from tests.standins.workshop import make_workshop

BATCH_STEPS = ("batch.begun", "batch.run", "batch.flushed", "batch.committed")
RANDOM_KILLS = 100
KILLED = -9
PATIENCE_S = 600


class Crashes:
    """A process that has children killed, by orders."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def crash(self, directory: Path, orders: Sequence[str]) -> list[int]:
        """Have a child killed for each order; return how each ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        endings = []
        for order in orders:
            self._process.stdin.write(f"{order} {directory}\n")
            self._process.stdin.flush()
            endings.append(int(self._process.stdout.readline()))
        return endings


@pytest.fixture(scope="module")
def crashes() -> Iterator[Crashes]:
    """One process for all tests: it takes longer to start than a child takes to be killed."""
    line = [sys.executable, "-m", "tests.standins.crashing"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        patience = Timer(PATIENCE_S, process.kill)
        patience.start()
        yield Crashes(process)
        patience.cancel()


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _leaves(town: Town, kind: EventKind) -> dict[str, dict[str, Any]]:
    rows = town.read(
        lambda conn: conn.exec_driver_sql("SELECT seq FROM log_entry WHERE kind = ?", (kind.value,)).all()
    )
    entries = [town.ledger.entry(row[0]).leaf for row in rows]
    return {str(leaf.subject): dict(leaf.data) for leaf in entries}


def _check(directory: Path) -> tuple[int, int]:
    """Check what must hold after any crash; return how many effects and replies there were."""
    shop = reopen(directory, lambda _step: None)
    try:
        effects, replies = _lines(directory / "effects"), _lines(directory / "replies")
        intents = _leaves(shop.town, EventKind.ACTION_INTENT)
        outcomes = _leaves(shop.town, EventKind.ACTION_OUTCOME)
        unknown = {open_.intent.subject for open_ in shop.town.read(open_actions)}
        assert len(effects) == len(set(effects)), "an effect happened twice"
        assert set(effects) <= intents.keys(), "an effect without an intent"
        assert set(replies) <= set(effects), "a reply without an effect"
        assert {outcomes[id_]["status"] for id_ in replies} <= {"done"}, "an acknowledged outcome was lost"
        ended = {id_ for id_, data in outcomes.items() if data["status"] != "unknown"}
        assert unknown == intents.keys() - ended, "an unknown outcome is not listed"
    finally:
        shop.town.close()
    report = verify_state(shop.town.settings)
    assert not report.findings
    return len(effects), len(replies)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An installation with a run that may read."""
    make_workshop(tmp_path, tier=0, profile=roomy_profile()).town.close()
    return tmp_path


def test_killed_at_each_step_of_the_path(crashes: Crashes, directory: Path) -> None:
    """R-10."""
    orders = [f"{step} {count}" for step in (*STEPS, *BATCH_STEPS) for count in (1, 7)]

    endings = crashes.crash(directory, orders)

    assert endings == [KILLED] * len(orders)
    effects, replies = _check(directory)
    assert effects > replies > 0


def test_killed_a_hundred_times_at_any_moment(crashes: Crashes, directory: Path) -> None:
    """R-10."""
    endings = crashes.crash(directory, [f"random {seed}" for seed in range(RANDOM_KILLS)])

    assert endings.count(KILLED) > RANDOM_KILLS * 0.9
    effects, replies = _check(directory)
    assert effects >= replies > 0


@pytest.mark.parametrize("step", [*STEPS, *BATCH_STEPS])
def test_an_approved_write_happens_at_most_once_wherever_it_is_killed(
    crashes: Crashes, tmp_path: Path, step: str
) -> None:
    """A held write is carried out exactly once; after a crash in the middle it is unknown, never repeated."""
    _approve_and_leave(tmp_path)

    # The child's own reads pass the same steps, so the kill may come before, in or after the carrying.
    endings = crashes.crash(tmp_path, [f"{step} {count}" for count in (1, 2, 3)])
    assert endings == [KILLED] * 3
    asyncio.run(_start_and_stop(tmp_path))

    shop = reopen(tmp_path, lambda _step: None)
    try:
        intents = shop.rows("SELECT id FROM action WHERE tool = 'send_mail' AND state IN ('done', 'unknown')")
        effects = [id_ for id_ in _lines(tmp_path / "effects") if id_ in {row[0] for row in intents}]
        used = shop.rows("SELECT count(*) FROM log_entry WHERE kind = 'approval.ended'")[0][0]
    finally:
        shop.town.close()
    assert len(intents) == used == 1
    assert len(effects) <= 1


def _approve_and_leave(directory: Path) -> None:
    shop = make_workshop(directory, tier=3, profile=roomy_profile(), carrier=_Closed())
    mail = {"to": ["a@known.example"], "subject": "Hi", "body": "4111 1111 1111 1111"}

    async def work() -> None:
        await shop.act("send_mail", mail)
        await shop.vote(await shop.waiting(), SVEN)
        await shop.gate.close()

    asyncio.run(work())
    shop.town.close()


async def _start_and_stop(directory: Path) -> None:
    shop = reopen(directory, lambda _step: None)
    await shop.gate.start()
    await shop.gate.close()
    shop.town.close()


class _Closed:
    """A carrier whose upstreams do not start, so that the approval is still unused."""

    @asynccontextmanager
    async def open(self, run: str) -> AsyncIterator[Any]:
        raise ConnectionRefusedError(run)
        yield
