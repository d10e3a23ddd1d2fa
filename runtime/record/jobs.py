"""Units on their way through the writer, and how their submitters hear of the end."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any

from runtime.record.batch import Tx

Unit = Callable[[Tx], Any]


class LateError(Exception):
    """A unit was waited for long enough."""


class Job:
    """One unit with its future; `result` and `error` are filled in by the writer."""

    __slots__ = ("_claim", "_late", "error", "future", "loop", "result", "started", "unit")

    def __init__(
        self,
        unit: Unit,
        future: "Future[Any] | asyncio.Future[Any]",
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.unit = unit
        self.future = future
        self.loop = loop
        self.started = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._claim = Lock()
        self._late: asyncio.TimerHandle | None = None

    def wait_at_most(self, seconds: float) -> None:
        """Let its future, of an event loop, end with a LateError unless it has ended by then."""
        if self.loop is not None and not self.future.done():
            self._late = self.loop.call_later(seconds, _give_up, self.future)

    def stop_waiting(self) -> None:
        """Nobody waits any more."""
        if self._late is not None:
            self._late.cancel()

    def claim(self) -> bool:
        """Take the right to run the unit, or to drop it; only the first caller gets it."""
        return self._claim.acquire(blocking=False)

    def unclaim(self) -> None:
        """Give the right back: nothing has begun, so its submitter may drop it again.

        A future of a thread that was told that it runs cannot be told otherwise; its job stays claimed.
        """
        if self.loop is not None and self.started:
            self.started = False
            self._claim.release()


def claimed(jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs that nobody dropped while they waited; they will run."""
    return [job for job in jobs if job.started or (job.claim() and _starts(job))]


def fail(jobs: Iterable[Job], error: BaseException) -> None:
    """Give every job the same error."""
    for job in jobs:
        job.error = error


def deliver(jobs: Iterable[Job], *, here: bool = False) -> None:
    """Resolve the futures of finished jobs, waking each event loop once.

    Args:
        jobs: finished, each with its result or error.
        here: whether the caller runs in the event loop of all of them.
    """
    if here:
        _resolve_all(jobs)
        return
    by_loop: dict[asyncio.AbstractEventLoop, list[Job]] = defaultdict(list)
    for job in jobs:
        if job.loop is None:
            _resolve(job)
        else:
            by_loop[job.loop].append(job)
    for loop, waiting in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_resolve_all, waiting)


def _give_up(future: "Future[Any] | asyncio.Future[Any]") -> None:
    if not future.done():
        future.set_exception(LateError())


def _starts(job: Job) -> bool:
    job.started = not isinstance(job.future, Future) or job.future.set_running_or_notify_cancel()
    return job.started


def _resolve_all(jobs: Iterable[Job]) -> None:
    for job in jobs:
        _resolve(job)


def _resolve(job: Job) -> None:
    if job.future.done():  # its submitter stopped waiting
        return
    if job.error is not None:
        job.future.set_exception(job.error)
    else:
        job.future.set_result(job.result)
