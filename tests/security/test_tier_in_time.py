"""R-05, R-19: what an agent is granted must not show in the time that a refusal takes."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from runtime.gate.replies import Withheld
from runtime.record.batch import Tx
from tests.standins.workshop import PROFILE, Workshop, make_workshop

STRICT = PROFILE.replace("hold_above_tier: [draft, update]\n", "")
MAIL = {"to": ["bob@partner.example"], "subject": "hello", "body": "yes"}


def _statements(shop: Workshop) -> list[str]:
    """What the database is asked for a refused write, after one that read all there is to know."""
    asked: list[str] = []

    def listen(tx: Tx) -> None:
        driver = tx.conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(asked.append)

    async def work() -> None:
        assert isinstance(await shop.act("send_mail", MAIL), Withheld)
        asked.clear()
        shop.town.later(seconds=2)  # a world that is older than a second is read again
        assert isinstance(await shop.act("send_mail", MAIL), Withheld)

    shop.town.write(listen)
    asyncio.run(work())
    return [" ".join(statement.split()[:2]) for statement in asked]


@pytest.mark.parametrize("tier", [1, 2])
def test_a_refused_write_asks_the_database_as_much_at_every_tier(tmp_path: Path, tier: int) -> None:
    lists = []
    for number in (0, tier):
        shop = make_workshop(tmp_path / str(number), tier=number, profile=STRICT)
        lists.append(_statements(shop))
        shop.town.close()

    assert lists[0] == lists[1]
    assert len(lists[0]) > 10
