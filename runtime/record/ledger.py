"""The ledger: the one door through which the system's state changes.

A thread commits the units in batches (`runtime.record.worker`, `runtime.record.writer`); a future resolves
only when its unit is durable. Whoever asks waits a bounded time, then is denied: no record, no action.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from runtime.clock import Clock, random_bytes
from runtime.db import reading
from runtime.errors import LedgerUnavailableError
from runtime.record.anchor import Anchor, AnchorState
from runtime.record.batch import Tx
from runtime.record.checkpoint import Checkpoint
from runtime.record.guard import OF_ANCHOR, StateLock
from runtime.record.jobs import Job, LateError
from runtime.record.keyring import KeyRing
from runtime.record.keys import Keys
from runtime.record.trace import Entry, read_entry
from runtime.record.worker import Limits, Worker
from runtime.record.writer import OnStep, Parts, Writer

__all__ = ["Ledger", "Limits"]

T = TypeVar("T")


_GUARD: ContextVar[Callable[[Tx], None] | None] = ContextVar("ledger_guard", default=None)


def _behind_guard(unit: Callable[[Tx], T]) -> Callable[[Tx], T]:
    check = _GUARD.get()
    if check is None:
        return unit

    def guarded(tx: Tx) -> T:
        check(tx)
        return unit(tx)

    return guarded


def _no_step(_name: str) -> None:
    """Do nothing at a step; tests pass something that kills the process."""


class Ledger:
    """Holds the record of one state directory open for writing.

    Attributes:
        keyring: opens payloads, for `runtime.record.trace` and `runtime.record.export`.
    """

    def __init__(
        self,
        engine: Engine,
        keys: Keys,
        anchor: Anchor,
        clock: Clock,
        *,
        lock_file: Path,
        anchor_lock: Path | None = None,
        limits: Limits | None = None,
        random: Callable[[int], bytes] = random_bytes,
        on_step: OnStep = _no_step,
    ) -> None:
        """Take the lock, open or begin the log, and start writing.

        Args:
            engine: a database at this code's version; `close` closes its connections.
            keys: of this record.
            anchor: where checkpoints go.
            clock: the time of the entries.
            lock_file: one for each state directory.
            anchor_lock: one for each anchor, where no other record may use it.
            limits: bounds of queue, batch and wait.
            random: for salts, nonces and data keys.
            on_step: called with the name of each step of a batch and a checkpoint.

        Raises:
            LedgerBusyError: another process writes this state directory, or is anchored where this is.
            LedgerIntegrityError: keys, anchor and database do not belong together.
            KeyFileError: the wrap key is not the one that wrapped the data keys.
            LedgerUnavailableError: the first entries cannot be committed.
        """
        self._engine = engine
        self._limits = limits or Limits()
        self._locks = [StateLock(lock_file)]
        try:
            if anchor_lock is not None:
                self._locks.append(StateLock(anchor_lock, OF_ANCHOR))
            writer = Writer(Parts(engine, keys, anchor, clock, random, on_step))
        except BaseException:
            self._give_back()
            raise
        self.keyring = KeyRing(keys.wrapper)
        self._worker = Worker(writer, self._limits, self._give_back)
        try:
            self.write_sync(_nothing)  # commits the log's first entries: they are there when we return
        except BaseException:
            self.close()
            raise

    def submit(self, unit: Callable[[Tx], T]) -> "Future[T]":
        """Queue a unit; the future resolves when it is durable, or holds why it is not."""
        future: Future[T] = Future()
        self._worker.put(Job(_behind_guard(unit), future))
        return future

    @contextmanager
    def guarded(self, check: Callable[[Tx], None]) -> Iterator[None]:
        """Let `check` run first in every unit that is submitted inside; what it raises refuses the unit."""
        token = _GUARD.set(check)
        try:
            yield
        finally:
            _GUARD.reset(token)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit and wait until it is durable.

        Raises:
            LedgerUnavailableError: it was not taken in time; whatever needed it is denied.
            LedgerIntegrityError: the record was tampered with while in use.
            Exception: whatever the unit raised; it then left nothing behind.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = Job(unit, future, loop)
        self._worker.put_in_turn(job, loop)
        try:
            return await future
        except LateError as error:
            raise self._too_late(dropped=job.claim()) from error
        except asyncio.CancelledError:
            job.claim()
            raise
        finally:
            job.stop_waiting()

    def write_sync(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit and wait until it is durable, outside an event loop.

        Raises:
            LedgerUnavailableError: it was not taken in time; whatever needed it is denied.
            LedgerIntegrityError: the record was tampered with while in use.
            Exception: whatever the unit raised; it then left nothing behind.
        """
        if self._worker.is_here:
            raise LedgerUnavailableError("a unit waits for another unit: it would wait for itself")
        future = self.submit(unit)
        try:
            return future.result(self._limits.wait_seconds)
        except TimeoutError as error:
            if future.done():  # the unit's own
                raise
            raise self._too_late(dropped=future.cancel()) from error

    def read(self) -> AbstractContextManager[Connection]:
        """Open one consistent view of the database; it never waits for the writer, and cannot write."""
        return reading(self._engine)

    def entry(self, seq: int) -> Entry:
        """Return one entry, its payload decrypted.

        Raises:
            LedgerIntegrityError: there is no such entry.
        """
        with self.read() as connection:
            return read_entry(connection, self.keyring, seq)

    def checkpoint(self) -> Checkpoint:
        """Sign and anchor everything committed so far; return the checkpoint.

        Raises:
            LedgerUnavailableError: the record does not answer.
        """
        self.write_sync(Tx.checkpoint_after)
        return self._worker.newest_checkpoint()

    def anchor_state(self) -> AnchorState:
        """Tell whether checkpoints reach their anchor."""
        return self._worker.anchor_state

    def close(self) -> None:
        """Commit what is queued, sign a last checkpoint, and give the lock back. Twice does no harm."""
        self._worker.stop()

    def _give_back(self) -> None:
        self._engine.dispose()
        for lock in self._locks:
            lock.release()

    def _too_late(self, *, dropped: bool) -> LedgerUnavailableError:
        seconds = self._limits.wait_seconds
        end = "it was dropped" if dropped else "it may still be written"
        return LedgerUnavailableError(
            f"the record did not take a unit within {seconds:g} s; {end}", may_be_written=not dropped
        )


def _nothing(_tx: Tx) -> None:
    """Append nothing; the batch itself may have something to say."""
