"""The record's figures: units a second, an append that stays flat, verify.

Each figure stands beside the bare thing, measured in turns in the same run:
the same rows by plain `sqlite3`, a small log, the hashing alone.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from bench.record_fill import fill
from runtime.clock import new_id, utc_now
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.ledger import Ledger, Limits
from runtime.record.setup import open_ledger, prepare_state
from runtime.record.verify import verify_state
from runtime.settings import Settings
from runtime.tables.actions import SeenRow

CLIENTS = 32
ROUNDS = 15
ROUND_UNITS = 640
SMALL = 1_000
LARGE = 1_000_000

UNITS_GOAL = 5_500
FLAT_GOAL = 1.2
VERIFY_GOAL = 50_000

_RUNS = [new_id("run") for _ in range(CLIENTS)]


def measure(*, large: int = LARGE) -> Iterator[dict[str, Any]]:
    """Yield the record's rows: name, unit, ours, beside, ratio, goal, ok.

    Args:
        large: how many entries the large log gets before the measurement.
    """
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as scratch:
        small, big = _open(Path(scratch) / "small"), _open(Path(scratch) / "large")
        fill(small, _RUNS, SMALL)
        fill(big, _RUNS, large)
        yield _units(small, Path(scratch))
        yield _flatness(small, big)
        small.close()
        big.close()
        yield _verify(Path(scratch) / "large")


def _settings(root: Path) -> Settings:
    return Settings(state_dir=root / "state", anchor_dir=root / "anchor")


def _open(root: Path) -> Ledger:
    prepare_state(_settings(root))
    return open_ledger(_settings(root), limits=Limits(wait_seconds=60))


def _event(number: int) -> Event:
    return Event(
        kind=EventKind.SESSION_NOTED,  # no row of another table goes with it
        at=utc_now(),
        actor="agent",
        agent="finance",
        deployment="d" * 64,
        run=_RUNS[number % CLIENTS],
        subject=new_id("act"),
        data={"tool": "mail.send", "effect": "send", "digest": "a" * 64},
        payload={"args": {"to": "vendor@example.org", "body": "the amount is 1,204.50"}},
    )


def _action(number: int) -> Callable[[Tx], int]:
    """Return a unit as the gate writes it: one row, one entry."""

    def unit(tx: Tx) -> int:
        row = {"deployment": _RUNS[number % CLIENTS], "key": new_id("key"), "first_action": "act"}
        tx.insert(SeenRow, row)
        return tx.append(_event(number))

    return unit


def _append(number: int) -> Callable[[Tx], int]:
    return lambda tx: tx.append(_event(number))


def _seconds(ledger: Ledger, unit: Callable[[int], Callable[[Tx], int]]) -> float:
    """Return the seconds that 32 clients of one loop take for a round of units."""

    async def client(number: int) -> None:
        for _ in range(ROUND_UNITS // CLIENTS):
            await ledger.write(unit(number))

    async def main() -> float:
        begun = time.perf_counter()
        await asyncio.gather(*[client(number) for number in range(CLIENTS)])
        return time.perf_counter() - begun

    return asyncio.run(main())


def _units(ledger: Ledger, scratch: Path) -> dict[str, Any]:
    bare = sqlite3.connect(scratch / "bare.db", isolation_level=None)
    bare.execute("PRAGMA journal_mode=WAL")
    bare.execute("PRAGMA synchronous=FULL")
    bare.execute("CREATE TABLE entry (seq INTEGER PRIMARY KEY, leaf BLOB, key TEXT)")
    ours, beside = [], []
    for _ in range(ROUNDS):
        ours.append(ROUND_UNITS / _seconds(ledger, _action))
        beside.append(ROUND_UNITS / _bare_seconds(bare))
    bare.close()
    rate = median(ours)
    return _row(
        "record: durable units, 32 clients, each one row and one entry (beside: sqlite3, one commit each)",
        "units/s",
        rate,
        median(beside),
        goal=f">= {UNITS_GOAL}",
        ok=rate >= UNITS_GOAL,
    )


def _bare_seconds(connection: sqlite3.Connection) -> float:
    begun = time.perf_counter()
    for _ in range(ROUND_UNITS):
        connection.execute("INSERT INTO entry (leaf, key) VALUES (?, ?)", [b"x" * 700, new_id("key")])
    return time.perf_counter() - begun


def _flatness(small: Ledger, big: Ledger) -> dict[str, Any]:
    times: dict[Ledger, list[float]] = {small: [], big: []}
    for _ in range(ROUNDS):
        for ledger in (small, big):
            times[ledger].append(_seconds(ledger, _append) / ROUND_UNITS * 1e6)
    ours, beside = median(times[big]), median(times[small])
    return _row(
        "record: append to a large log (beside: to a small one)",
        "us/entry",
        ours,
        beside,
        goal=f"<= {FLAT_GOAL} x",
        ok=ours / beside <= FLAT_GOAL,
    )


def _verify(root: Path) -> dict[str, Any]:
    begun = time.perf_counter()
    report = verify_state(_settings(root))
    rate = report.entries / (time.perf_counter() - begun)
    return _row(
        "record: verify, rows of actions and leases too (beside: reading the leaves and one SHA-256 of each)",
        "entries/s",
        rate,
        _hash_rate(root),
        goal=f">= {VERIFY_GOAL}",
        ok=rate >= VERIFY_GOAL and report.exit_code == 0,
    )


def _hash_rate(root: Path) -> float:
    connection = sqlite3.connect(_settings(root).state_dir / "handrail.db")
    begun, count = time.perf_counter(), 0
    for (leaf,) in connection.execute("SELECT leaf FROM log_entry ORDER BY seq"):
        sha256(leaf).digest()
        count += 1
    seconds = time.perf_counter() - begun
    connection.close()
    return count / seconds


def _row(name: str, unit: str, ours: float, beside: float, *, goal: str, ok: bool) -> dict[str, Any]:
    return {
        "name": name,
        "unit": unit,
        "ours": round(ours, 1),
        "beside": round(beside, 1),
        "ratio": round(ours / beside, 3),
        "goal": goal,
        "ok": ok,
    }
