"""The very same action, asked for by many at one moment: one hold, one suggestion, and one answer to all."""

import asyncio
from typing import Any

import pytest

from profiles.context import StatusKind
from runtime.context.note import ContextNote, Taint
from runtime.gate.replies import Done, Pending, Performed, Reply, Withheld
from runtime.gate.states import HoldState
from tests.runtime.gate.conftest import NewWorkshop
from tests.standins.towns import DORA, SVEN
from tests.standins.workshop import Workshop

MANY = 8
PRIVATE = {"folder": "Private"}
PAY = {"to": "a@known.example", "amount": 10}


async def _at_once(shop: Workshop, tool: str, args: dict[str, Any]) -> list[Reply]:
    """Ask for the same thing many times before any answer is there."""
    await shop.act("list_folders")  # the world of the run is known from here on, so that nobody waits for it
    return await asyncio.gather(*[shop.act(tool, args) for _ in range(MANY)])


def test_a_yes_to_a_write_that_many_asked_for_carries_it_out_once(new_workshop: NewWorkshop) -> None:
    """DESIGN section 3: a held write is carried out once; so there is one hold to say yes to."""
    shop = new_workshop(tier=4)

    async def work() -> list[Reply]:
        replies = await _at_once(shop, "pay", PAY)
        await shop.vote(await shop.waiting(), DORA, SVEN)
        await shop.gate.close()
        return [*replies, await shop.act("pay", PAY)]

    replies = asyncio.run(work())

    assert replies == [Withheld()] * MANY + [Done({"done": "pay"})]
    assert [action.tool for action in shop.hands.done] == ["list_folders", "pay"]


def test_a_no_reaches_everyone_who_asked(new_workshop: NewWorkshop) -> None:
    """One no is a no: no hold beside it is left that others could say yes to."""
    shop = new_workshop(tier=4)

    async def work() -> Reply:
        await _at_once(shop, "pay", PAY)
        await shop.vote(await shop.waiting(), SVEN, yes=False)
        assert await shop.gate.holds.listed() == []
        return await shop.act("pay", PAY)

    assert asyncio.run(work()) == Withheld()
    assert "rejected" in shop.codes()
    assert [action.tool for action in shop.hands.done] == ["list_folders"]


def test_readers_who_ask_at_once_wait_for_one_hold(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=0, hold_wait_seconds=0.2)

    replies = asyncio.run(_at_once(shop, "read_folder", PRIVATE))

    assert replies == [Pending()] * MANY
    assert len(shop.rows("SELECT id FROM hold")) == 1
    assert len(shop.rows("SELECT id FROM action WHERE state = 'held'")) == MANY


def test_after_a_hold_has_expired_those_who_ask_at_once_wait_for_one_again(new_workshop: NewWorkshop) -> None:
    shop = new_workshop(tier=4)

    async def work() -> None:
        await shop.act("pay", PAY)
        shop.town.later(days=2)
        shop.gate.holds.forget(await shop.waiting())  # as another node's would be: known by the record alone
        await asyncio.gather(*[shop.act("pay", PAY) for _ in range(MANY)])

    asyncio.run(work())

    states = [row[0] for row in shop.rows("SELECT state FROM hold ORDER BY created_at")]
    assert states == ["expired", "waiting"]


def test_what_many_suggest_at_once_is_one_suggestion(new_workshop: NewWorkshop) -> None:
    """F14: nobody makes a sample larger by asking for one thing many times at one moment."""
    shop = new_workshop(tier=0)

    asyncio.run(_at_once(shop, "update_record", {"number": "1"}))

    assert len(shop.rows("SELECT id FROM suggestion")) == 1
    assert len(shop.rows("SELECT id FROM action WHERE state = 'suggested'")) == MANY


def test_a_result_that_a_person_must_see_first_waits_in_one_hold(new_workshop: NewWorkshop) -> None:
    """R-20: the same call beside it was done and recorded too, and is kept back by the same hold."""
    shop = new_workshop(tier=0)
    seen = ContextNote("tool:list_folders", "0" * 64, Taint.TRUSTED, flagged={StatusKind.MODEL.value: 1})
    told = Performed("it is replaced", once_seen=Performed("it tells", note=seen))

    async def work() -> list[Reply]:
        all_are_admitted = asyncio.Barrier(MANY)

        async def perform() -> Performed:
            await all_are_admitted.wait()
            return told

        asked = [shop.gate.enforce(shop.run, shop.action("list_folders"), perform) for _ in range(MANY)]
        return await asyncio.gather(*asked)

    assert asyncio.run(work()) == [Pending()] * MANY
    assert len(shop.rows("SELECT id FROM hold")) == 1
    assert sorted(shop.states()) == ["done"] * MANY + ["held"]


@pytest.mark.parametrize("pause", [0.0005, 0.002, 0.005, 0.01])
def test_a_hold_whose_caller_goes_away_while_it_is_recorded_is_looked_after(
    new_workshop: NewWorkshop, pause: float
) -> None:
    """A read that nobody waits for is void; a write is carried out once people have said yes."""
    shop = new_workshop(tier=4)

    async def gone(tool: str, args: dict[str, Any]) -> None:
        task = asyncio.create_task(shop.act(tool, args))
        await asyncio.sleep(pause)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def work() -> None:
        await shop.act("list_folders")
        for number in range(10):
            await gone("read_folder", {"folder": f"Private {number}"})
            await gone("pay", {**PAY, "amount": number + 1})
        for row in await shop.gate.holds.listed((HoldState.WAITING,)):
            if row.tool == "pay":
                await shop.vote(await shop.gate.holds.card(row.id), DORA, SVEN)
        await shop.gate.close()

    asyncio.run(work())

    left = {tuple(row) for row in shop.rows("SELECT tool, state FROM hold")}
    assert left <= {("read_folder", "voided"), ("pay", "used")}
