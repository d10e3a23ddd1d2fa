import asyncio
import threading

import pytest

from runtime.threads import in_daemon_thread, making, to_the_end

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_what_was_made_is_returned() -> None:
    assert await making(lambda: 7, print) == 7


async def test_what_is_made_after_its_caller_was_cancelled_is_unmade_before_the_caller_goes() -> None:
    begun, go_on = threading.Event(), threading.Event()
    unmade: list[int] = []

    def make() -> int:
        begun.set()
        go_on.wait(10)
        return 7

    caller = asyncio.create_task(making(make, unmade.append))
    await asyncio.to_thread(begun.wait, 10)
    caller.cancel()
    await asyncio.sleep(0)
    caller.cancel()
    assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert unmade == [7]


async def test_what_could_not_be_made_is_told_and_needs_no_unmaking() -> None:
    unmade: list[int] = []

    def make() -> int:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await making(make, unmade.append)
    assert unmade == []


async def test_what_must_be_done_is_done_before_a_caller_goes_who_is_cancelled_twice() -> None:
    go_on = asyncio.Event()
    done: list[int] = []

    async def work() -> None:
        await go_on.wait()
        done.append(7)

    caller = asyncio.create_task(to_the_end(work()))
    for _ in range(2):
        await asyncio.sleep(0)
        caller.cancel()
    await asyncio.sleep(0)
    assert not caller.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert done == [7]


async def test_a_daemon_thread_gives_its_answer_or_its_error() -> None:
    assert await in_daemon_thread(lambda: 7) == 7
    with pytest.raises(ValueError, match="x"):
        await in_daemon_thread(lambda: int("x"))
