"""Blocking calls in threads: waiting that may last as long as a run, and making what must not be lost."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Wait until something is done, also where the caller is cancelled meanwhile, however often.

    Args:
        work: what must not be left half done; what it raises is raised here.

    Raises:
        asyncio.CancelledError: the caller was cancelled; the work is done all the same.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settled(task)
        raise


async def making(make: Callable[[], T], unmake: Callable[[T], object]) -> T:
    """Make something in a thread and return it; whoever is cancelled meanwhile leaves nothing behind.

    A thread cannot be cancelled: what it makes after its caller has gone would belong to nobody. So a
    cancelled caller waits for it, unmakes what it made, and only then goes.

    Args:
        make: blocking; what it raises is raised here.
        unmake: blocking; undoes it.
    """
    task = asyncio.ensure_future(asyncio.to_thread(make))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _settled(task)
        if task.exception() is None:
            await asyncio.to_thread(unmake, task.result())
        raise


async def _settled(task: "asyncio.Future[T]") -> None:
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait({task})


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
