"""The ledger in an event loop: what one turn submits is one commit, and waiting holds up nobody else."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from runtime.errors import LedgerUnavailableError
from runtime.record.ledger import Ledger, Limits


@contextmanager
def another_program_writing(record: Any) -> Iterator[sqlite3.Connection]:
    """Hold the database's write lock, as a shell with an open transaction would."""
    shell = sqlite3.connect(record.database, isolation_level=None)
    shell.execute("BEGIN IMMEDIATE")
    try:
        yield shell
    finally:
        shell.close()


def head_writes(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return int(connection.execute(text("SELECT size FROM log_head")).scalar_one())


def test_what_one_turn_submits_is_committed_together(record: Any) -> None:
    steps: list[str] = []
    ledger = record.open(on_step=steps.append)
    steps.clear()

    async def work() -> list[int]:
        return await asyncio.gather(*[ledger.write(lambda tx: tx.append(record.event())) for _ in range(9)])

    found = asyncio.run(work())

    assert found == list(range(found[0], found[0] + 9))
    assert steps.count("batch.committed") == 1


def test_another_programs_lock_is_waited_for_in_the_thread(record: Any) -> None:
    """The loop goes on meanwhile, and the unit is written once the lock is free."""
    ledger = record.open()

    async def work() -> int:
        with another_program_writing(record) as shell:
            writing = asyncio.create_task(ledger.write(lambda tx: tx.append(record.event(7))))
            for _ in range(20):
                await asyncio.wait_for(asyncio.sleep(0.005), 1)
            assert not writing.done()
            shell.execute("ROLLBACK")
            return await writing

    seq = asyncio.run(work())

    assert ledger.entry(seq).leaf.subject == record.event(7).subject


def test_a_lock_that_is_never_given_back_denies_in_time(record: Any) -> None:
    """F23: no record, no action; and nothing is written afterwards."""
    ledger = record.open(limits=Limits(wait_seconds=0.3))
    before = head_writes(ledger)

    async def work() -> None:
        with another_program_writing(record), pytest.raises(LedgerUnavailableError):
            await ledger.write(lambda tx: tx.append(record.event()))

    asyncio.run(work())

    ledger.close()
    with sqlite3.connect(record.database) as shell:
        assert shell.execute("SELECT size FROM log_head").fetchone()[0] == before


def test_a_unit_in_the_loop_that_waits_for_another_unit_is_told_so(record: Any) -> None:
    ledger = record.open()

    with pytest.raises(LedgerUnavailableError, match="wait for itself"):
        asyncio.run(ledger.write(lambda _tx: ledger.write_sync(lambda tx: tx.append(record.event()))))


def test_threads_and_loops_take_turns(record: Any) -> None:
    ledger = record.open()

    async def client() -> None:
        for _ in range(20):
            await ledger.write(lambda tx: tx.append(record.event()))

    async def work() -> None:
        threads = [asyncio.to_thread(_sync_client, record, ledger) for _ in range(4)]
        await asyncio.gather(*threads, *[client() for _ in range(8)])

    before = head_writes(ledger)
    asyncio.run(work())

    assert head_writes(ledger) == before + 4 * 20 + 8 * 20


def _sync_client(record: Any, ledger: Ledger) -> None:
    for _ in range(20):
        ledger.write_sync(lambda tx: tx.append(record.event()))
