"""Worlds that are used again still show every change; tests/security/test_gate_stale_world.py attacks."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.effects import Effect
from runtime import grants
from runtime.broker import Broker
from runtime.clock import new_id, random_bytes
from runtime.freeze import stop
from runtime.freeze_rules import Scope
from runtime.gate.replies import Done, Reply
from runtime.gate.world import World
from runtime.gate.worlds import Worlds
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from tests.runtime.gate.conftest import NewWorkshop
from tests.standins.databases import SQLITE
from tests.standins.towns import OLGA, ROSA, grant, order, set_freeze, stop_of
from tests.standins.workshop import Workshop

Change = Callable[[Workshop, Tx], object]


def _revoke(shop: Workshop, tx: Tx) -> object:
    effects = [Effect.READ]
    return grants.revoke(tx, shop.run.deployment, effects=effects, cause="t", actor="t", now=tx.now)


def _stop(shop: Workshop, tx: Tx) -> object:
    return stop(tx, stop_of(Scope.ALL, "all", shop.town), owner="test", now=tx.now)


def _end(_shop: Workshop, tx: Tx) -> object:
    return tx.conn.exec_driver_sql(
        "UPDATE run SET state = 'ended', outcome = 'stopped', ended_at = expires_at"
    )


def _revoke_lease(shop: Workshop, tx: Tx) -> object:
    return Broker(new_id, random_bytes).revoke(tx, shop.run.run, cause="t", actor="t")


@pytest.mark.parametrize("change", [_revoke, _stop, _end, _revoke_lease])
def test_a_change_between_two_units_of_one_transaction_is_seen(
    new_workshop: NewWorkshop, change: Change
) -> None:
    """R-69: no intent stands after the change, also where all of them are committed together."""
    shop = new_workshop(tier=0)
    sizes: list[int] = []

    def changed(tx: Tx) -> object:
        sizes.append(tx.committed)
        return change(shop, tx)

    async def work() -> list[Reply]:
        for _ in range(2):  # the first one issues the run's lease, which is a change of its own
            await shop.act("list_folders")
        shop.town.ledger.submit(lambda _tx: time.sleep(0.3))  # what is queued meanwhile is one transaction
        await asyncio.sleep(0.1)
        before = [asyncio.create_task(shop.act("list_folders")) for _ in range(4)]
        await asyncio.sleep(0.05)  # their turn ends: now they wait in the queue
        shop.town.ledger.submit(changed)
        after = [asyncio.create_task(shop.act("list_folders")) for _ in range(4)]
        return [*await asyncio.gather(*before), *await asyncio.gather(*after)]

    replies = asyncio.run(work())

    mark = (
        shop.rows(
            "SELECT max(seq) FROM log_entry WHERE kind IN ('grant.revoked', 'freeze.set', 'lease.revoked')"
        )[0][0]
        or sizes[0] + 4
    )
    later = "SELECT count(*) FROM log_entry WHERE kind = 'action.intent' AND seq > :mark"
    assert shop.rows(later, mark=mark)[0][0] == 0
    assert [isinstance(reply, Done) for reply in replies] == [True] * 4 + [False] * 4


def test_a_change_that_is_undone_costs_another_reading_and_nothing_else(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0)

    def undone(tx: Tx) -> None:
        _revoke(shop, tx)
        raise ValueError("undo me")

    async def work() -> Reply:
        await shop.act("list_folders")
        shop.town.ledger.submit(lambda _tx: time.sleep(0.2))
        shop.town.ledger.submit(undone)
        return await shop.act("list_folders")

    assert isinstance(asyncio.run(work()), Done)


@pytest.fixture
def shop(new_workshop: NewWorkshop) -> Workshop:
    return new_workshop(tier=0)


class Reader:
    """Reads the run's world, each time in a transaction of its own."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._worlds = Worlds(shop.town.book)

    def read(self) -> World:
        run, town = self._shop.run, self._shop.town
        return town.write(lambda tx: self._worlds.read(tx, run, now=town.now))

    def write_own(self, sql: str) -> None:
        def unit(tx: Tx) -> None:
            with self._worlds.own_writes(tx):
                tx.conn.exec_driver_sql(sql)
                tx.append(Event(kind=EventKind.ACTION_DECISION, at=tx.now, payload={"of": "the gate"}))

        self._shop.town.write(unit)


SPEND = (
    "INSERT INTO budget (holder, key, used) VALUES ('run-1', 'run', 7)"
    " ON CONFLICT (holder, key) DO UPDATE SET used = 7"
)


def test_a_world_is_used_again_while_only_the_gate_writes(shop: Workshop) -> None:
    """Else the tests of what makes it stale would prove nothing. Its budgets are read each time."""
    if shop.town.database is not None and shop.town.database.kind != SQLITE:
        pytest.skip("only SQLite counts changes; elsewhere every world is read anew")
    reader = Reader(shop)
    first = reader.read()

    reader.write_own(SPEND)
    shop.town.ledger.checkpoint()
    shop.town.later(milliseconds=900)
    again = reader.read()

    assert again.power is first.power
    assert (first.usage.run, again.usage.run) == (0, 7)


@pytest.mark.parametrize("sql", [SPEND, "UPDATE agent SET risk = 'low'", "DELETE FROM grant_cause"])
@pytest.mark.parametrize("by_hand", [True, False])
def test_any_row_that_anyone_else_writes_makes_it_stale(shop: Workshop, sql: str, *, by_hand: bool) -> None:
    """Whatever the row is: no list of what matters can be forgotten to be kept up."""
    reader = Reader(shop)
    first = reader.read()

    if by_hand:
        shop.town.tamper(sql)
    else:
        shop.town.write(lambda tx: tx.conn.exec_driver_sql(sql).close())

    assert reader.read().power is not first.power


def test_an_entry_that_another_unit_appends_makes_it_stale(shop: Workshop) -> None:
    reader = Reader(shop)
    first = reader.read()

    shop.town.write(lambda tx: tx.append(Event(kind=EventKind.SESSION_NOTED, at=tx.now)))

    assert reader.read().power is not first.power


@pytest.mark.parametrize("seconds", [1.0, -0.001])
def test_no_world_lives_longer_than_a_second_or_is_used_for_an_earlier_moment(
    shop: Workshop, seconds: float
) -> None:
    reader = Reader(shop)
    first = reader.read()

    shop.town.later(seconds=seconds)

    assert reader.read().power is not first.power


def test_it_turns_when_the_first_of_its_parts_ends_or_begins(shop: Workshop) -> None:
    """The run lasts a year, its grant seven days; then come a freeze and a grant that begins tomorrow."""
    reader, start = Reader(shop), shop.town.now

    assert reader.read().turns_at == start + timedelta(days=7)
    set_freeze(shop.town, stop_of(Scope.AGENT, shop.run.agent, shop.town, days=2), OLGA)
    assert reader.read().turns_at == start + timedelta(days=2)
    asked = order(shop.town, Effect.DRAFT, deployment=shop.run.deployment, owner="mallory")
    grant(shop.town, replace(asked, valid_from=start + timedelta(days=1)), ROSA)
    assert reader.read().turns_at == start + timedelta(days=1)


def test_a_grant_whose_end_cannot_be_read_is_looked_at_each_time(shop: Workshop) -> None:
    shop.town.tamper("UPDATE effect_grant SET valid_until = '2026-11-21T9'")
    reader = Reader(shop)

    assert reader.read().power is not reader.read().power
