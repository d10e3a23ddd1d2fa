"""Who runs the writer: the event loop that asks, for what is quick, and a thread for all else.

Jobs that an event loop submits in one turn are committed together at the end of that turn, in the loop
itself: handing them to a thread and back costs more than it saves. While the thread is at work, or another
program holds the database, they go to the thread's queue, where waiting holds up nobody. The thread also
commits what comes from outside an event loop, and signs the checkpoints that are due.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread, get_ident

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from runtime.db import is_busy, words_of
from runtime.errors import LedgerError, LedgerIntegrityError, LedgerUnavailableError
from runtime.record.anchor import AnchorState
from runtime.record.checkpoint import Checkpoint
from runtime.record.jobs import Job, claimed, deliver, fail
from runtime.record.writer import Writer


class _BusyError(Exception):
    """Another program writes to the database; nothing has begun."""


@dataclass(frozen=True)
class Limits:
    """How much the ledger takes on at once, and how long it may take."""

    wait_seconds: float = 5.0
    queued_units: int = 10_000
    batch_units: int = 256
    checkpoint_entries: int = 256
    checkpoint_seconds: float = 60.0


_NOTHING = Job(lambda _tx: None, Future())
"""Wakes the thread, which then sees what is due."""


class Worker:
    """Runs a writer, until it is stopped. One at a time holds `_busy` and may use the writer."""

    def __init__(self, writer: Writer, limits: Limits, at_end: Callable[[], None]) -> None:
        """Start.

        Args:
            writer: commits the batches; it is closed at the end.
            limits: bounds of queue and batch.
            at_end: called by the thread, last of all.
        """
        self._writer = writer
        self._limits = limits
        self._at_end = at_end
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._gate = Lock()
        self._busy = Lock()
        self._user: int | None = None
        self._turns: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        self._waiting = Retrying(
            retry=retry_if_exception_type(_BusyError),
            wait=wait_random_exponential(multiplier=0.005, max=0.1),
            stop=stop_after_delay(limits.wait_seconds),
            reraise=True,
        )
        self._stopped: LedgerError | None = None
        self._checkpoint_due: float | None = None
        self._checkpoint_error: str | None = None
        self._thread = Thread(target=self._serve, name="ledger", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether the caller is called by a unit that runs right now."""
        return self._user == get_ident()

    @property
    def anchor_state(self) -> AnchorState:
        """Whether checkpoints reach their anchor."""
        if self._checkpoint_error is not None:
            return AnchorState(anchored=False, reason=f"no checkpoint was made: {self._checkpoint_error}")
        return self._writer.anchor_state

    def newest_checkpoint(self) -> Checkpoint:
        """Return the newest checkpoint.

        Raises:
            LedgerUnavailableError: the last try to make one failed.
        """
        latest = self._writer.checkpoint_latest
        if latest is None or self._checkpoint_error is not None:
            raise LedgerUnavailableError(f"no checkpoint was made: {self._checkpoint_error}")
        return latest

    def put(self, job: Job) -> None:
        """Queue a job; one that cannot be taken is answered at once."""
        with self._gate:
            refusal = self._refusal()
            if refusal is None:
                self._queue.put(job)
                return
        job.error = refusal
        deliver([job])

    def put_in_turn(self, job: Job, loop: asyncio.AbstractEventLoop) -> None:
        """Take a job from the running event loop; it is committed when the loop's present turn is over."""
        jobs = self._turns.get(loop)
        if jobs is None:
            jobs = self._turns[loop] = []
            loop.call_soon(self._end_turn, loop)
        jobs.append(job)

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._turns.pop(loop)
        try:
            if (
                self._stopped is None
                and len(jobs) <= self._limits.batch_units
                and self._begin_work(wait=False)
            ):
                try:
                    self._work_in_loop(jobs)
                finally:
                    self._end_work()
            else:
                for job in jobs:
                    self.put(job)
        finally:
            for (
                job
            ) in jobs:  # nearly all have their answer by now; a timer for each would cost more than that
                job.wait_at_most(self._limits.wait_seconds)

    def _work_in_loop(self, jobs: list[Job]) -> None:
        try:
            running, wanted = self._commit(jobs)
        except _BusyError:
            for job in jobs:
                self.put(job)
            return
        self._checkpoint_if(wanted=wanted)
        deliver(running, here=True)
        if self._checkpoint_is_due():
            self._queue.put(_NOTHING)

    def _begin_work(self, *, wait: bool) -> bool:
        if not self._busy.acquire(blocking=wait):
            return False
        self._user = get_ident()
        return True

    def _end_work(self) -> None:
        self._user = None
        self._busy.release()

    def stop(self) -> None:
        """Commit what is queued, sign a last checkpoint, and end. Twice does no harm."""
        with self._gate:
            if self._stopped is None:
                self._stopped = LedgerUnavailableError("the record is closed")
            self._queue.put(None)
        self._thread.join()

    def _refusal(self) -> LedgerError | None:
        if self._stopped is not None:
            return self._stopped
        if self._queue.qsize() >= self._limits.queued_units:
            return LedgerUnavailableError(f"the record has {self._limits.queued_units} units waiting already")
        return None

    def _serve(self) -> None:
        """Work until `stop`; this is the thread."""
        try:
            open_for_more = True
            while open_for_more:
                jobs, open_for_more = self._next_jobs()
                self._begin_work(wait=True)
                try:
                    self._work(jobs)
                finally:
                    self._end_work()
            self._checkpoint_if(wanted=self._stopped is None or not _is_integrity(self._stopped))
        finally:
            self._writer.close()
            self._at_end()

    def _next_jobs(self) -> tuple[list[Job], bool]:
        jobs: list[Job] = []
        try:
            job = self._queue.get(timeout=self._seconds_to_checkpoint())
            while job is not None:
                jobs += [job] if job is not _NOTHING else []
                if len(jobs) >= self._limits.batch_units:
                    return jobs, True
                job = self._queue.get_nowait()
        except Empty:
            return jobs, True
        return jobs, False

    def _work(self, jobs: list[Job]) -> None:
        try:
            running, wanted = self._waiting(self._commit, jobs, patient=True)
        except _BusyError as error:
            running, wanted = claimed(jobs), False
            fail(running, _unavailable(error))
        self._checkpoint_if(wanted=wanted)
        deliver(running)
        self._checkpoint_if(wanted=self._checkpoint_is_due())

    def _commit(self, jobs: list[Job], *, patient: bool = False) -> tuple[list[Job], bool]:
        """Commit the jobs that nobody has dropped; return them, and whether a checkpoint was asked for.

        Raises:
            _BusyError: another program writes; nothing has begun, and the jobs can be dropped again.
        """
        running = claimed(jobs)
        wanted = False
        try:
            if self._stopped is not None and _is_integrity(self._stopped):
                fail(running, self._stopped)
            elif running:
                wanted = self._writer.commit(running, patient=patient)
        except LedgerIntegrityError as error:
            self._stopped = error
            fail(running, error)
        except Exception as error:
            if is_busy(error):
                for job in running:
                    job.unclaim()
                raise _BusyError(f"another program writes to the database: {words_of(error)}") from error
            fail(running, _unavailable(error))
        return running, wanted

    def _checkpoint_is_due(self) -> bool:
        entries = self._writer.entries_since_checkpoint
        if entries and self._checkpoint_due is None:
            self._checkpoint_due = time.monotonic() + self._limits.checkpoint_seconds
        many = entries >= self._limits.checkpoint_entries and self._checkpoint_error is None
        return many or self._seconds_to_checkpoint() == 0

    def _seconds_to_checkpoint(self) -> float | None:
        return None if self._checkpoint_due is None else max(0.0, self._checkpoint_due - time.monotonic())

    def _checkpoint_if(self, *, wanted: bool) -> None:
        if not wanted:
            return
        try:
            self._writer.checkpoint()
        except Exception as error:  # noqa: BLE001 told by `anchor_state`; tried again when due
            self._checkpoint_error = words_of(error)
            self._checkpoint_due = time.monotonic() + self._limits.checkpoint_seconds
        else:
            self._checkpoint_error = self._checkpoint_due = None


def _is_integrity(error: LedgerError) -> bool:
    return isinstance(error, LedgerIntegrityError)


def _unavailable(error: Exception) -> LedgerUnavailableError:
    unavailable = LedgerUnavailableError(f"the record could not commit: {words_of(error)}")
    unavailable.__cause__ = error
    return unavailable
