"""Worlds that are read once for a transaction still see every change that is made in it."""

import asyncio
import time
from collections.abc import Callable

import pytest

from profiles.effects import Effect
from runtime import grants
from runtime.broker import Broker
from runtime.clock import new_id, random_bytes
from runtime.freeze import stop
from runtime.freeze_rules import Scope
from runtime.gate.replies import Done, Reply
from runtime.record.batch import Tx
from tests.runtime.gate.conftest import NewWorkshop
from tests.standins.towns import stop_of
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

    async def work() -> list[Reply]:
        for _ in range(2):  # the first one issues the run's lease, which is a change of its own
            await shop.act("list_folders")
        shop.town.ledger.submit(lambda _tx: time.sleep(0.3))  # what is queued meanwhile is one transaction
        await asyncio.sleep(0.1)
        before = [asyncio.create_task(shop.act("list_folders")) for _ in range(4)]
        await asyncio.sleep(0.05)  # their turn ends: now they wait in the queue
        shop.town.ledger.submit(lambda tx: sizes.append(tx.committed) or change(shop, tx))
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
