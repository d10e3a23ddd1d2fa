"""Recording how a run ended, also when the record cannot be written just now (a full disk)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from sqlalchemy.exc import OperationalError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from runtime.db import words_of
from runtime.errors import LedgerUnavailableError

RETRY_S: Final = 2.0
_LOG = logging.getLogger(__name__)


class EndingOnRecord:
    """Tries until one run's ending is on record; whoever waits for that hears of a try that failed.

    A run is running on record until then: it may be ended only once, with what its box said of its end.
    """

    def __init__(self, run: str, retry_s: float = RETRY_S) -> None:
        """Prepare, in the event loop that will record.

        Args:
            run: its id.
            retry_s: seconds between two tries.
        """
        self._run = run
        self._failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tries = AsyncRetrying(
            retry=retry_if_exception_type((LedgerUnavailableError, OperationalError)),
            wait=wait_fixed(retry_s),
            before_sleep=self._tell,
        )

    async def record(self, write: Callable[[], Awaitable[object]]) -> None:
        """Write again and again until it is done; what is no want of a record is raised."""
        async for attempt in self._tries:
            with attempt:
                await write()
        if self._tries.statistics["attempt_number"] > 1:
            _LOG.warning("run %s: its ending is on record now", self._run)

    async def wait(self, recording: "asyncio.Task[None]") -> None:
        """Wait until `recording` is over.

        Raises:
            LedgerUnavailableError: the next try failed.
            Exception: whatever `recording` raised.
        """
        failure = self._failure
        both: tuple[asyncio.Future[Any], ...] = (recording, failure)
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not recording.done():
            raise LedgerUnavailableError(
                f"run {self._run}: its box has ended and its doors are closed; its ending is not on record "
                f"yet and is tried again: {failure.result()}; next: handrail doctor"
            )
        recording.result()

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        said = "" if error is None else words_of(error)
        if state.attempt_number == 1:
            _LOG.warning("run %s: its ending is not on record yet and is tried again: %s", self._run, said)
        told, self._failure = self._failure, self._failure.get_loop().create_future()
        told.set_result(said)


class LaunchEndings:
    """Endings of launches that failed; each is tried until it is on record, also when nobody waits any more.

    A launch that fails because the record takes no entries cannot record that either. Whoever asked for it
    has the answer at once, and the run its named ending as soon as there is room.
    """

    def __init__(self, retry_s: float = RETRY_S) -> None:
        """Prepare; `retry_s` are the seconds between two tries."""
        self._retry_s = retry_s
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def record(self, run: str, write: Callable[[], Awaitable[object]]) -> bool:
        """Record the ending of a run, or go on trying in the background.

        Returns:
            Whether it is on record already; where it is not, that is logged.

        Raises:
            Exception: what is no want of a record.
        """
        ending = EndingOnRecord(run, self._retry_s)
        task = self._tasks[run] = asyncio.create_task(ending.record(write), name=f"ending of {run}")
        task.add_done_callback(lambda done: self._forget(run, done))
        try:
            await ending.wait(task)
        except LedgerUnavailableError:
            return False
        return True

    async def close(self) -> None:
        """Give up what is still tried: the next serve finds these runs, and records how they ended."""
        waiting = dict(self._tasks)
        for run, task in waiting.items():
            task.cancel()
            _LOG.warning("run %s: its ending is not on record yet; the next serve records it", run)
        await asyncio.gather(*waiting.values(), return_exceptions=True)

    def _forget(self, run: str, done: "asyncio.Task[None]") -> None:
        del self._tasks[run]
        if not done.cancelled() and (error := done.exception()) is not None:
            _LOG.error("run %s: its ending is not on record: %s", run, words_of(error))
