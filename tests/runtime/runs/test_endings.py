"""Recording an ending while the record is unavailable."""

import asyncio
import logging

import pytest

from runtime.errors import LedgerIntegrityError, LedgerUnavailableError
from runtime.runs.endings import EndingOnRecord, LaunchEndings


class Record:
    """Refuses so many writes, then takes one."""

    def __init__(self, refusals: int, error: Exception | None = None) -> None:
        self.left = refusals
        self.taken = asyncio.Event()
        self.error = error or LedgerUnavailableError("the record could not commit: disk full")

    async def write(self) -> None:
        self.left -= 1
        if self.left >= 0:
            raise self.error
        self.taken.set()


def test_an_ending_is_recorded_once_the_record_takes_it_and_that_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def use() -> None:
        await EndingOnRecord("run-1", retry_s=0.01).record(Record(4).write)

    with caplog.at_level(logging.WARNING, logger="runtime.runs.endings"):
        asyncio.run(use())

    first, second = [record.getMessage() for record in caplog.records]
    assert first.startswith("run run-1: its ending is not on record yet and is tried again: the record could")
    assert second == "run run-1: its ending is on record now"


def test_whoever_waits_is_told_of_the_next_try_and_not_of_an_old_one() -> None:
    async def use() -> None:
        record, ending = Record(1), EndingOnRecord("run-1", retry_s=0.05)
        recording = asyncio.create_task(ending.record(record.write))
        with pytest.raises(LedgerUnavailableError, match=r"not on record yet .* disk full"):
            await ending.wait(recording)
        await ending.wait(recording)
        assert recording.done()

    asyncio.run(use())


def test_a_record_that_was_tampered_with_is_not_tried_again() -> None:
    async def use() -> None:
        ending = EndingOnRecord("run-1", retry_s=0.01)
        recording = asyncio.create_task(ending.record(Record(1, LedgerIntegrityError("replaced")).write))
        with pytest.raises(LedgerIntegrityError, match="replaced"):
            await ending.wait(recording)

    asyncio.run(use())


def test_a_failed_launch_is_answered_at_once_and_its_ending_is_recorded_later() -> None:
    async def use() -> None:
        record, endings = Record(3), LaunchEndings(retry_s=0.01)
        assert await endings.record("run-1", record.write) is False
        assert record.left == 2
        await asyncio.wait_for(record.taken.wait(), 30)
        await endings.close()

    asyncio.run(use())


def test_an_ending_that_the_record_takes_at_once_leaves_nothing_to_do() -> None:
    async def use() -> None:
        assert await LaunchEndings().record("run-1", Record(0).write) is True

    asyncio.run(use())


def test_endings_that_are_not_on_record_at_the_end_of_serve_are_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def use() -> None:
        endings = LaunchEndings(retry_s=1000)
        await endings.record("run-1", Record(2).write)
        await endings.close()

    with caplog.at_level(logging.WARNING, logger="runtime.runs.endings"):
        asyncio.run(use())

    assert caplog.messages[1:] == ["run run-1: its ending is not on record yet; the next serve records it"]
