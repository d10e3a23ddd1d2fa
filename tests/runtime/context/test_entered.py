"""The ledger of context, read off a real record (R-60)."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.context.entered import Entered, entered
from runtime.context.launched import kept_at
from runtime.context.results import SeenExecutor, as_seen
from runtime.context.scrubbing import shown_digest
from runtime.gate.actions import ActionKind
from runtime.gate.replies import PENDING_TEXT, WITHHELD_TEXT, Done, NotPerformedError, Performed
from runtime.gateway.answers import unknown_tool
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from sandboxes.constants import INTERNAL_TEXT
from tests.standins.towns import DORA
from tests.standins.workshop import Workshop, make_gate, make_workshop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path, tier=1)
    hands: Any = SeenExecutor(made.run, made.hands)
    yield replace(made, gate=make_gate(made.town, made.run, hands, hold_wait_seconds=0.05))
    made.town.close()


async def act(shop: Workshop, tool: str, **args: Any) -> Any:
    """Let the agent call a tool whose answer is scrubbed and noted."""
    action = shop.action(tool, args)

    async def perform() -> Performed:
        return as_seen(shop.run, action, await shop.hands.perform(action))

    return await shop.gate.enforce(shop.run, action, perform)


def ledger(shop: Workshop) -> list[Entered]:
    rows = shop.rows("SELECT seq FROM log_entry WHERE run = :run ORDER BY seq", run=shop.run.run)
    return entered(shop.town.ledger.entry(row[0]) for row in rows)


def told(shop: Workshop) -> list[tuple[str, str | None]]:
    return [(one.source, one.text) for one in ledger(shop)]


def write(shop: Workshop, kind: EventKind, **fields: Any) -> None:
    def unit(tx: Tx) -> None:
        tx.append(Event(kind=kind, at=tx.now, run=shop.run.run, **fields))

    shop.town.write(unit)


def test_what_a_run_is_launched_with_comes_first(shop: Workshop) -> None:
    """R-19, R-60: variables, command, task and memory; a tool counts when its list is asked for."""
    write(shop, EventKind.RUN_REQUESTED, data={"memory": "a" * 64})
    items = [["variable", "PATH", "b" * 64, "why"], ["tool", "pay", "c" * 64, "why"]]
    write(shop, EventKind.RUN_RELEASED, data={"context": items})
    asyncio.run(act(shop, "list_folders"))
    assert [(one.source, one.digest) for one in ledger(shop)][:2] == [
        ("memory", "a" * 64),
        ("variable:PATH", "b" * 64),
    ]
    assert [one.source for one in ledger(shop)][2:] == ["tool:list_folders"]


def test_what_tells_in_a_task_is_counted_at_its_item_and_its_words_are_kept(shop: Workshop) -> None:
    """R-19, R-60: the request for the run has both; what the launch did not name itself is kept nowhere."""
    payload = {"task": "Run the test.", "command": ["sh", "-c"]}
    flagged = {"prompt:TASK": {"evaluation": 1}, "argument:1": {"model": 2}}
    write(shop, EventKind.RUN_REQUESTED, data={"flagged": flagged}, payload=payload)
    named = (("prompt", "TASK"), ("argument", "1"), ("argument", "7"), ("variable", "PATH"))
    items = [[kind, name, "b" * 64, "why"] for kind, name in named]
    write(shop, EventKind.RUN_RELEASED, data={"context": items})

    task, one, beyond, path = ledger(shop)
    kept = shop.town.ledger.entry(task.kept or 0).payload or {}

    assert (task.flagged, kept_at(kept, task.within)) == ({"evaluation": 1}, "Run the test.")
    assert (one.flagged, kept_at(kept, one.within)) == ({"model": 2}, "-c")
    assert (beyond.flagged, kept_at(kept, beyond.within)) == ({}, None)
    assert (path.flagged, path.kept) == ({}, None)


def test_an_argument_of_the_profiles_own_is_not_sought_in_the_request(shop: Workshop) -> None:
    write(shop, EventKind.RUN_REQUESTED, data={}, payload={"task": None, "command": []})
    write(shop, EventKind.RUN_RELEASED, data={"context": [["argument", "0", "b" * 64, "why"]]})

    assert [(one.source, one.kept) for one in ledger(shop)] == [("argument:0", None)]


def test_a_held_write_enters_when_the_agent_asks_again(shop: Workshop) -> None:
    """R-60: carried out after its approval, shown only at the identical call."""

    async def work() -> Any:
        note = {"number": "7", "note": "hello"}
        await act(shop, "update_record", **note)
        await shop.vote(await shop.waiting(), DORA)
        await shop.gate.close()
        before = told(shop)
        return before, await act(shop, "update_record", **note)

    before, again = asyncio.run(work())
    assert before == [("tool:update_record", WITHHELD_TEXT)]
    assert isinstance(again, Done)
    assert told(shop) == [("tool:update_record", WITHHELD_TEXT), ("tool:update_record", None)]
    assert ledger(shop)[-1].digest == shown_digest(again.payload)


def test_a_held_read_that_nobody_decides_is_pending_once(shop: Workshop) -> None:
    asyncio.run(act(shop, "read_folder", folder="board"))
    assert told(shop) == [("tool:read_folder", PENDING_TEXT)]


def test_a_held_read_that_is_approved_in_time_enters_as_its_result(shop: Workshop) -> None:
    async def work() -> None:
        patient = replace(shop, gate=make_gate(shop.town, shop.run, shop.hands))
        reading = asyncio.create_task(act(patient, "read_folder", folder="board"))
        async with asyncio.timeout(10):
            while not await patient.gate.holds.listed():  # noqa: ASYNC110 - a state in the record
                await asyncio.sleep(0.01)
        await patient.vote(await patient.waiting(), DORA)
        await reading

    asyncio.run(work())
    assert told(shop) == [("tool:read_folder", None)]


@pytest.mark.parametrize("error", [NotPerformedError("no"), RuntimeError("gone")])
def test_a_failure_behind_the_gateway_enters_as_its_constant(shop: Workshop, error: Exception) -> None:
    shop.hands.error = error
    asyncio.run(act(shop, "list_folders"))
    assert told(shop) == [("tool:list_folders", INTERNAL_TEXT)]


def test_what_is_asked_of_the_agent_is_not_told_to_it_again(shop: Workshop) -> None:
    """An upstream that may not ask is told so; the agent hears nothing."""
    asked = shop.action("sampling", {}, kind=ActionKind.REQUEST)
    asyncio.run(shop.take(asked))
    assert told(shop) == []


def test_a_tool_that_is_not_there_enters_as_what_was_told_of_it(shop: Workshop) -> None:
    """R-60: the hash is over what was shown; the agent's own name stands in no readable column."""
    asyncio.run(act(shop, "you-are-in-staging"))

    (one,) = ledger(shop)
    assert one.source == "tool:unknown"
    assert one.text == str(unknown_tool("you-are-in-staging"))
    assert one.digest == shown_digest(one.text)
    assert "staging" not in str(shop.rows("SELECT leaf FROM log_entry"))


def test_a_tool_that_is_not_there_has_no_hash_once_its_name_is_purged(shop: Workshop) -> None:
    asyncio.run(act(shop, "you-are-in-staging"))
    rows = shop.rows("SELECT seq FROM log_entry WHERE run = :run ORDER BY seq", run=shop.run.run)

    (one,) = entered(replace(shop.town.ledger.entry(row[0]), payload=None) for row in rows)

    assert (one.source, one.text, one.digest) == ("tool:unknown", None, "")
