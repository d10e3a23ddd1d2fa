"""Waiting that may last as long as a run, in threads that never keep the process alive."""

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(wait: Callable[[], T]) -> T:
    """Run a blocking call in a thread of its own and return its answer, or raise what it raised.

    `asyncio.to_thread` would use a pool whose threads the interpreter joins at exit: one run that is still
    being waited for would then keep a stopped `serve` from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # without an error there is a result

    def work() -> None:
        answer: tuple[T | None, Exception | None]
        try:
            answer = (wait(), None)
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            answer = (None, error)
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, *answer)

    Thread(target=work, daemon=True).start()
    return await future
