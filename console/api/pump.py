"""Blocking streams in an event loop: a thread of its own reads, so that no reader can hold up the others.

The thread is a daemon: a stream that says nothing for hours keeps neither a worker of the loop nor the end of
the process waiting. It notices at the next piece that nobody listens any more.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")
_AHEAD = 64
_LOOK_SECONDS = 1.0


class Pump(Generic[T]):
    """Carries what a blocking generator yields into the loop that made the pump."""

    def __init__(self, pieces: Generator[T, None, None]) -> None:
        """Begin to read at once.

        Args:
            pieces: read in the thread, at most a few pieces ahead of the loop.
        """
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[T | BaseException | None] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)
        self._gone = threading.Event()
        threading.Thread(target=self._read, name="pump", daemon=True).start()

    async def items(self, stop: asyncio.Event) -> AsyncIterator[T]:
        """Yield the pieces until there are no more, or `stop` is set.

        Raises:
            Exception: whatever the generator raised.
        """
        stopped = asyncio.create_task(stop.wait())
        try:
            while (item := await self._next(stopped)) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._gone.set()
            stopped.cancel()

    async def _next(self, stopped: "asyncio.Task[bool]") -> T | BaseException | None:
        coming = asyncio.create_task(self._queue.get())
        await asyncio.wait({coming, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not coming.done():
            coming.cancel()
            return None
        self._room.release()
        return coming.result()

    def _read(self) -> None:
        end: BaseException | None = None
        try:
            for piece in self._pieces:
                if not self._has_room():
                    break
                self._give(piece)
        except Exception as error:  # noqa: BLE001 - it is raised where the pieces are awaited
            end = error
        finally:
            self._pieces.close()
        self._give(end)

    def _has_room(self) -> bool:
        while not self._room.acquire(timeout=_LOOK_SECONDS):
            if self._gone.is_set():
                return False
        return not self._gone.is_set()

    def _give(self, item: T | BaseException | None) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody listens
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
