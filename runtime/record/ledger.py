"""The ledger: the one door through which the system's state changes.

A thread drains a queue of units and commits them in batches (`runtime.record.writer`); a future resolves only
when its unit is durable. Whoever asks waits a bounded time, then is denied: no record, no action.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from runtime.clock import Clock, random_bytes
from runtime.db import reading
from runtime.errors import LedgerError, LedgerIntegrityError, LedgerUnavailableError
from runtime.record.anchor import Anchor, AnchorState
from runtime.record.batch import Tx
from runtime.record.checkpoint import Checkpoint
from runtime.record.guard import StateLock
from runtime.record.jobs import Job, claimed, deliver, fail
from runtime.record.keyring import KeyRing
from runtime.record.keys import Keys
from runtime.record.trace import Entry, read_entry
from runtime.record.writer import OnStep, Parts, Writer

T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """How much the ledger takes on at once, and how long it may take."""

    wait_seconds: float = 5.0
    queued_units: int = 10_000
    batch_units: int = 256
    checkpoint_entries: int = 256
    checkpoint_seconds: float = 60.0


def _no_step(_name: str) -> None:
    """Do nothing at a step; tests pass something that kills the process."""


class Ledger:
    """Holds the record of one state directory open for writing."""

    def __init__(
        self,
        engine: Engine,
        keys: Keys,
        anchor: Anchor,
        clock: Clock,
        *,
        lock_file: Path,
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
            limits: bounds of queue, batch and wait.
            random: for salts, nonces and data keys.
            on_step: called with the name of each step of a batch and a checkpoint.

        Raises:
            LedgerBusyError: another process writes this state directory.
            LedgerIntegrityError: keys, anchor and database do not belong together.
            KeyFileError: the wrap key is not the one that wrapped the data keys.
            LedgerUnavailableError: the first entries cannot be committed.
        """
        self._engine = engine
        self._limits = limits or Limits()
        self._lock = StateLock(lock_file)
        try:
            self._writer = Writer(Parts(engine, keys, anchor, clock, random, on_step))
        except BaseException:
            self._lock.release()
            raise
        self._readers = KeyRing(keys.wrapper)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gate = Lock()
        self._stopped: LedgerError | None = None
        self._checkpoint_due: float | None = None
        self._checkpoint_error: Exception | None = None
        self._thread = Thread(target=self._serve, name="ledger", daemon=True)
        self._thread.start()
        try:
            self.write_sync(_nothing)  # commits the log's first entries: they are there when we return
        except BaseException:
            self.close()
            raise

    def submit(self, unit: Callable[[Tx], T]) -> "Future[T]":
        """Queue a unit; the future resolves when it is durable, or holds why it is not."""
        future: Future[T] = Future()
        self._put(Job(unit, future))
        return future

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
        self._put(job)
        wait = asyncio.timeout(self._limits.wait_seconds)
        try:
            async with wait:
                return await future
        except TimeoutError as error:
            if not wait.expired():  # the unit's own
                raise
            raise self._too_late(dropped=job.claim()) from error
        except asyncio.CancelledError:
            job.claim()
            raise

    def write_sync(self, unit: Callable[[Tx], T]) -> T:
        """Run a unit and wait until it is durable, outside an event loop.

        Raises:
            LedgerUnavailableError: it was not taken in time; whatever needed it is denied.
            LedgerIntegrityError: the record was tampered with while in use.
            Exception: whatever the unit raised; it then left nothing behind.
        """
        if current_thread() is self._thread:
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
            return read_entry(connection, self._readers, seq)

    def checkpoint(self) -> Checkpoint:
        """Sign and anchor everything committed so far; return the checkpoint.

        Raises:
            LedgerUnavailableError: the record does not answer.
        """
        self.write_sync(Tx.checkpoint_after)
        latest = self._writer.checkpoint_latest
        if latest is None or self._checkpoint_error is not None:
            raise LedgerUnavailableError(f"no checkpoint was made: {self._checkpoint_error}")
        return latest

    def anchor_state(self) -> AnchorState:
        """Tell whether checkpoints reach their anchor."""
        if self._checkpoint_error is not None:
            return AnchorState(anchored=False, reason=f"no checkpoint was made: {self._checkpoint_error}")
        return self._writer.anchor_state

    def close(self) -> None:
        """Commit what is queued, sign a last checkpoint, and give the lock back. Twice does no harm."""
        with self._gate:
            if self._stopped is None:
                self._stopped = LedgerUnavailableError("the record is closed")
            self._queue.put(None)
        self._thread.join()

    def _put(self, job: Job) -> None:
        with self._gate:
            refusal = self._refusal()
            if refusal is None:
                self._queue.put(job)
                return
        job.error = refusal
        deliver([job])

    def _refusal(self) -> LedgerError | None:
        if self._stopped is not None:
            return self._stopped
        if self._queue.qsize() >= self._limits.queued_units:
            return LedgerUnavailableError(f"the record has {self._limits.queued_units} units waiting already")
        return None

    def _too_late(self, *, dropped: bool) -> LedgerUnavailableError:
        seconds = self._limits.wait_seconds
        end = "it was dropped" if dropped else "it may still be written"
        return LedgerUnavailableError(
            f"the record did not take a unit within {seconds:g} s; {end}", may_be_written=not dropped
        )

    def _serve(self) -> None:
        """Work until `close`; this is the ledger's thread."""
        try:
            open_for_more = True
            while open_for_more:
                jobs, open_for_more = self._next_jobs()
                self._work(jobs)
            self._checkpoint_if(wanted=self._stopped is None or not _is_integrity(self._stopped))
        finally:
            self._writer.close()
            self._engine.dispose()
            self._lock.release()

    def _next_jobs(self) -> tuple[list[Job], bool]:
        jobs: list[Job] = []
        try:
            job = self._queue.get(timeout=self._seconds_to_checkpoint())
            while job is not None:
                jobs.append(job)
                if len(jobs) >= self._limits.batch_units:
                    return jobs, True
                job = self._queue.get_nowait()
        except Empty:
            return jobs, True
        return jobs, False

    def _work(self, jobs: Iterable[Job]) -> None:
        running = claimed(jobs)
        wanted = False
        if running:
            wanted = self._commit(running)
        if wanted:
            self._checkpoint_if(wanted=True)
        deliver(running)
        self._checkpoint_if(wanted=self._checkpoint_is_due())

    def _commit(self, jobs: list[Job]) -> bool:
        if self._stopped is not None and _is_integrity(self._stopped):
            fail(jobs, self._stopped)
            return False
        try:
            return self._writer.commit(jobs)
        except LedgerIntegrityError as error:
            self._stopped = error
            fail(jobs, error)
        except Exception as error:  # noqa: BLE001 a failed batch is an answer to its submitters, not the thread's end
            fail(jobs, _unavailable(error))
        return False

    def _checkpoint_is_due(self) -> bool:
        entries = self._writer.entries_since_checkpoint
        if entries and self._checkpoint_due is None:
            self._checkpoint_due = time.monotonic() + self._limits.checkpoint_seconds
        return entries >= self._limits.checkpoint_entries or self._seconds_to_checkpoint() == 0

    def _seconds_to_checkpoint(self) -> float | None:
        return None if self._checkpoint_due is None else max(0.0, self._checkpoint_due - time.monotonic())

    def _checkpoint_if(self, *, wanted: bool) -> None:
        if not wanted:
            return
        try:
            self._writer.checkpoint()
        except Exception as error:  # noqa: BLE001 told by `anchor_state`; tried again when due
            self._checkpoint_error = error
            self._checkpoint_due = time.monotonic() + self._limits.checkpoint_seconds
        else:
            self._checkpoint_error = self._checkpoint_due = None


def _nothing(_tx: Tx) -> None:
    """Append nothing; the batch itself may have something to say."""


def _is_integrity(error: Any) -> bool:
    return isinstance(error, LedgerIntegrityError)


def _unavailable(error: Exception) -> LedgerUnavailableError:
    unavailable = LedgerUnavailableError(f"the record could not commit: {error}")
    unavailable.__cause__ = error
    return unavailable
