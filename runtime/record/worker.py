"""The ledger's thread: takes jobs from a queue, commits them in batches, and signs checkpoints when due."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread, current_thread

from runtime.errors import LedgerError, LedgerIntegrityError, LedgerUnavailableError
from runtime.record.anchor import AnchorState
from runtime.record.checkpoint import Checkpoint
from runtime.record.jobs import Job, claimed, deliver, fail
from runtime.record.writer import Writer


@dataclass(frozen=True)
class Limits:
    """How much the ledger takes on at once, and how long it may take."""

    wait_seconds: float = 5.0
    queued_units: int = 10_000
    batch_units: int = 256
    checkpoint_entries: int = 256
    checkpoint_seconds: float = 60.0


class Worker:
    """Runs a writer in a thread of its own, until it is stopped."""

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
        self._stopped: LedgerError | None = None
        self._checkpoint_due: float | None = None
        self._checkpoint_error: Exception | None = None
        self._thread = Thread(target=self._serve, name="ledger", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether the caller is this worker's own thread."""
        return current_thread() is self._thread

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
                self._work(jobs)
            self._checkpoint_if(wanted=self._stopped is None or not _is_integrity(self._stopped))
        finally:
            self._writer.close()
            self._at_end()

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
            self._checkpoint_error = error
            self._checkpoint_due = time.monotonic() + self._limits.checkpoint_seconds
        else:
            self._checkpoint_error = self._checkpoint_due = None


def _is_integrity(error: LedgerError) -> bool:
    return isinstance(error, LedgerIntegrityError)


def _unavailable(error: Exception) -> LedgerUnavailableError:
    unavailable = LedgerUnavailableError(f"the record could not commit: {error}")
    unavailable.__cause__ = error
    return unavailable
