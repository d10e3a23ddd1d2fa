"""What an action costs does not depend on how many there were before it: counted, not timed."""

import asyncio
import itertools
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.record.batch import Tx
from tests.standins.workshop import PROFILE, Workshop, make_workshop

FEW, MANY = 30, 300
ROUND = 3
"""Every third denial of a kind opens an incident; so three are counted together."""
WIDE = PROFILE.replace("_per_run: 50", "_per_run: 5000").replace("_per_hour: 80", "_per_hour: 5000")
Args = dict[str, Any]


class Steps:
    """Counts the steps of SQLite's virtual machine on the connection that writes."""

    def __init__(self, shop: Workshop) -> None:
        self.count = 0
        shop.town.write(self._begin)

    def _begin(self, tx: Tx) -> None:
        driver = tx.conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_progress_handler(self._one, 1)

    def _one(self) -> int:
        self.count += 1
        return 0

    async def of(self, act: Callable[[], Awaitable[None]]) -> int:
        """The least that a round took of five: a checkpoint may come in between."""
        taken = []
        for _ in range(5):
            before = self.count
            for _ in range(ROUND):
                await act()
            taken.append(self.count - before)
        return min(taken)


def _read(_number: int) -> tuple[str, Args]:
    return "list_folders", {}


def _suggested(number: int) -> tuple[str, Args]:
    return "send_mail", {"to": ["bob@partner.example"], "subject": "hello", "body": f"number {number}"}


def _out_of_scope(_number: int) -> tuple[str, Args]:
    return "rm_rf", {"path": "/"}


def _repeated(_number: int) -> tuple[str, Args]:
    return "send_mail", {"to": ["bob@partner.example"], "subject": "hello", "body": "again"}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """On SQLite, which tells how many steps its statements take."""
    made = make_workshop(tmp_path, tier=0, profile=WIDE)
    yield made
    made.town.close()


@pytest.mark.parametrize("kind", [_read, _suggested, _repeated, _out_of_scope])
def test_an_action_is_as_much_work_for_the_database_after_many_as_after_few(
    shop: Workshop, kind: Callable[[int], tuple[str, Args]]
) -> None:
    """R-10: also a denied one, whose every third opens one more incident."""

    async def work() -> tuple[int, int]:
        numbers, steps = itertools.count(), Steps(shop)

        async def act() -> None:
            shop.town.later(milliseconds=1)  # incidents of one moment are one
            await shop.act(*kind(next(numbers)))

        for _ in range(FEW):
            await act()
        early = await steps.of(act)
        for _ in range(MANY):
            await act()
        return early, await steps.of(act)

    early, late = asyncio.run(work())

    assert late <= early * 1.05, f"{early} steps after {FEW}, {late} after {MANY + FEW} more"
