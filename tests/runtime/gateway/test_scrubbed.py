"""What passes at `/mcp`, with the real gate and a real record: scrubbed before it is shown, and noted."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from profiles.compile import compile_profile
from profiles.load import parse_profile
from runtime.cedar import CedarEngine
from runtime.context.entered import Entered, entered
from runtime.gate.replies import PENDING_TEXT, WITHHELD_TEXT
from runtime.record.trace import Entry
from sandboxes.scrub.model import OwnValue
from tests.standins.served import Served, served
from tests.standins.towns import DORA
from tests.standins.workshop import Workshop, make_workshop

pytestmark = pytest.mark.anyio

SERVER = Path(__file__).parents[2] / "standins" / "telling_server.py"
OWN = OwnValue("node", "node-7777qqqq", "ref-surrogate")
STATUS = "Answered by gpt-4o-2024-08-06, as always."
PROFILE = f"""
profile: bot
version: 1
purpose: Call a server that says what it is told to, for tests of what an agent is shown.
image: none:1
upstreams:
  odd:
    kind: stdio
    image: "none:1"
    host: true
    command: ["{sys.executable}", "{SERVER}", "--says", "On {OWN.value}. {STATUS}"]
tools:
  say: {{upstream: odd, effect: read, args: {{text: text}}}}
  fail: {{upstream: odd, effect: read, args: {{text: text}}}}
  shape: {{upstream: odd, effect: read, args: {{text: text}}}}
  picture: {{upstream: odd, effect: read, args: {{text: text}}}}
  whisper: {{upstream: odd, effect: read, args: {{text: text}}}}
  ask: {{upstream: odd, effect: read, args: {{text: text}}}}
  write: {{upstream: odd, effect: draft, args: {{text: text}}}}
requests: {{resources: read, prompts: read, completion: read, logging: read, sampling: read}}
sources: {{trusted: [odd], untrusted: [whisper]}}
context: {{results: RESULTS, definitions: RESULTS}}
known: {{collections: [INBOX, "test://note"]}}
never:
  - {{id: never-shred, text: Never shred anything at all., tools: [shred]}}
"""
NewShop = Callable[..., Workshop]


@pytest.fixture
def new_shop(tmp_path: Path) -> Iterator[NewShop]:
    made: list[Workshop] = []

    def make(results: str = "flag", tier: int = 0) -> Workshop:
        text = PROFILE.replace("RESULTS", results)
        shop = make_workshop(tmp_path, profile=text, tier=tier)
        profile = parse_profile(text.encode(), source="test").profile
        engine = CedarEngine.from_compiled(compile_profile(profile))
        shop.run = replace(shop.run, profile=profile, engine=engine, own=(OWN,))
        made.append(shop)
        return shop

    yield make
    for shop in made:
        shop.town.close()


@asynccontextmanager
async def talking(shop: Workshop, **rest: Any) -> AsyncIterator[tuple[Served, Client]]:
    async with (
        served(shop.run.profile, run=shop.run, gate=shop.gate) as opened,
        Client(opened.url, mode="legacy", **rest) as client,
    ):
        yield opened, client


def text_of(result: Any) -> str:
    return str(result.content[0].text)


def entries(shop: Workshop) -> list[Entry]:
    rows = shop.rows("SELECT seq FROM log_entry WHERE run = :run ORDER BY seq", run=shop.run.run)
    return [shop.town.ledger.entry(row[0]) for row in rows]


def ledger(shop: Workshop) -> list[Entered]:
    return entered(entries(shop))


def sources(shop: Workshop) -> list[str]:
    return [one.source for one in ledger(shop)]


def newest(shop: Workshop, kind: str) -> Entry:
    return [entry for entry in entries(shop) if entry.leaf.kind == kind][-1]


async def test_own_values_are_replaced_in_results_and_put_back_in_arguments(new_shop: NewShop) -> None:
    """R-20: the upstream is asked for the real thing, the agent sees what stands in its place."""
    shop = new_shop()
    async with talking(shop) as (_, client):
        await client.list_tools()  # which say it
        said = await client.call_tool("say", {"text": f"on {OWN.put}, as {OWN.value}"})
    assert text_of(said) == f"on {OWN.put}, as {OWN.put}"
    intent, outcome = newest(shop, "action.intent"), newest(shop, "action.outcome")
    assert intent.payload is not None
    assert outcome.payload is not None
    assert intent.payload["args"] == {"text": f"on {OWN.value}, as {OWN.value}"}
    assert [change[1] for change in outcome.payload["scrubbed"]] == [OWN.value] * 2  # type: ignore[union-attr,index]  # a list of lists
    context = outcome.leaf.data["context"]
    assert isinstance(context, dict)
    assert (context["source"], context["taint"], context["replaced"]) == ("tool:say", "trusted", {"own": 2})


async def test_every_way_in_is_scrubbed(new_shop: NewShop) -> None:
    """R-19, R-20: results, structure, errors, lists, resources, prompts, completion, notices, questions."""
    shop = new_shop("replace")
    heard: list[str] = []

    async def hear(said: Any) -> None:
        heard.append(repr(said))

    async def hear_progress(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        heard.append(message or "")

    async def asked(_context: Any, params: Any) -> Any:
        heard.append(params.model_dump_json())
        return {"role": "assistant", "content": {"type": "text", "text": "yes"}, "model": "m"}

    telling = {"text": f"On {OWN.value}.\n{STATUS}"}
    async with talking(shop, logging_callback=hear, sampling_callback=asked) as (_, client):
        seen = [
            (await client.call_tool(name, telling, progress_callback=hear_progress)).model_dump_json()
            for name in ("say", "shape", "picture", "whisper", "ask")
        ]
        with pytest.raises(MCPError) as failed:
            await client.call_tool("fail", telling)
        seen += [repr(failed.value.error)]
        seen += [
            (await client.list_tools()).model_dump_json(exclude={"tools": {"__all__": {"input_schema"}}})
        ]
        seen += [(await client.list_resources()).model_dump_json()]
        seen += [(await client.list_prompts()).model_dump_json()]
        seen += [(await client.read_resource("test://note")).model_dump_json()]
        seen += [(await client.get_prompt("greet")).model_dump_json()]
    assert len(heard) >= 2
    for text in (*seen, *heard):
        assert OWN.value not in text
        assert STATUS not in text
    assert sum(OWN.put in text for text in (*seen, *heard)) >= 11
    assert {"progress", "request:logging", "request:sampling", "tools", "resources", "prompts"} <= set(
        sources(shop)
    )


async def test_a_schema_keeps_its_values_and_loses_only_own_ones(new_shop: NewShop) -> None:
    shop = new_shop("replace")
    async with talking(shop) as (_, client):
        tool = (await client.list_tools()).tools[0]
    assert tool.input_schema["properties"]["text"]["enum"] == [f"On {OWN.put}. {STATUS}"]
    assert STATUS not in tool.input_schema["properties"]["text"]["title"]
    assert tool.name == "say"


async def test_lists_are_noted_once_for_every_change(new_shop: NewShop) -> None:
    """R-60: not at every list."""
    shop = new_shop()
    async with talking(shop) as (_, client):
        for _ in range(3):
            await client.list_tools()
    assert sources(shop) == ["initialize", "tools"]
    assert newest(shop, "context.shown").leaf.data["flagged"]


async def test_pictures_pass_and_texts_beside_them_are_scrubbed(new_shop: NewShop) -> None:
    shop = new_shop()
    async with talking(shop) as (_, client):
        got = await client.call_tool("picture", {"text": OWN.value})
    assert got.content[0].data.startswith("iVBORw0KGgo")  # type: ignore[union-attr]  # an image
    assert got.content[1].text == OWN.put  # type: ignore[union-attr]  # a text


async def test_structured_and_textual_content_say_the_same(new_shop: NewShop) -> None:
    shop = new_shop("replace")
    async with talking(shop) as (_, client):
        got = await client.call_tool("shape", {"text": f"{OWN.value}: {STATUS}"})
    assert json.loads(text_of(got)) == got.structured_content
    assert got.structured_content is not None
    assert got.structured_content["count"] == 3


async def test_a_result_that_tells_status_waits_for_a_person(new_shop: NewShop) -> None:
    """R-20: `results: hold`: recorded, kept back, shown once after a yes to exactly what it tells."""
    shop = new_shop("hold")
    call = ("say", {"text": f"{OWN.value}: {STATUS}"})
    async with talking(shop) as (_, client):
        first = await client.call_tool(*call)
        card = await shop.waiting()
        voted = await shop.vote(card, DORA)
        second = await client.call_tool(*call)
        third = await client.call_tool(*call)
    assert (text_of(first), first.is_error) == (PENDING_TEXT, True)
    assert card.told == ("status:model",)
    assert "gpt-4o-2024-08-06" in str(card.fields["reasons"])
    assert OWN.value not in text_of(second)
    assert text_of(second) == f"{OWN.put}: {STATUS}"
    assert text_of(third) == PENDING_TEXT
    assert len(voted) == 1
    outcomes = [entry for entry in entries(shop) if entry.leaf.kind == "action.outcome"]
    assert ["context" in entry.leaf.data for entry in outcomes] == [False, True, False]
    answers = [one.text for one in ledger(shop) if one.source == "tool:say"]
    assert answers == [PENDING_TEXT, None, PENDING_TEXT]


async def test_a_no_denies_the_identical_call(new_shop: NewShop) -> None:
    shop = new_shop("hold")
    async with talking(shop) as (_, client):
        await client.call_tool("say", {"text": STATUS})
        await shop.vote(await shop.waiting(), DORA, yes=False)
        again = await client.call_tool("say", {"text": STATUS})
        other = await client.call_tool("say", {"text": "nothing of the kind"})
    assert text_of(again) == WITHHELD_TEXT
    assert text_of(other) == "nothing of the kind"


async def test_a_call_repeated_before_the_decision_opens_no_second_hold(new_shop: NewShop) -> None:
    shop = new_shop("hold")
    shop = replace(shop, gate=shop.renewed(hold_wait_seconds=0.05).gate)
    async with talking(shop) as (_, client):
        for _ in range(3):
            assert text_of(await client.call_tool("say", {"text": STATUS})) == PENDING_TEXT
    assert len(await shop.gate.holds.listed()) == 1
    assert shop.states().count("done") == 1


async def test_a_hold_on_a_result_outlives_a_restart(new_shop: NewShop) -> None:
    shop = new_shop("hold")
    async with talking(shop) as (_, client):
        await client.call_tool("say", {"text": STATUS})
    shop = replace(shop, gate=shop.renewed(hold_wait_seconds=0.05).gate)
    await shop.gate.start()
    async with talking(shop) as (_, client):
        assert text_of(await client.call_tool("say", {"text": STATUS})) == PENDING_TEXT
        await shop.vote(await shop.waiting(), DORA)
        assert text_of(await client.call_tool("say", {"text": STATUS})) == STATUS
    await shop.gate.close()
    assert shop.states().count("done") == 2


async def test_what_a_write_answers_is_replaced_not_held(new_shop: NewShop) -> None:
    """A write cannot run twice, so its answer is shown without what it tells."""
    shop = new_shop("hold", tier=1)
    async with talking(shop) as (_, client):
        wrote = await client.call_tool("write", {"text": STATUS})
    assert wrote.is_error is False
    assert "gpt-4o" not in text_of(wrote)
    assert not await shop.gate.holds.listed()


async def test_the_ledger_of_context_has_all_of_it_in_order(new_shop: NewShop) -> None:
    """R-60: every item with source, hash and taint; a denial counts with its constant text."""
    shop = new_shop()
    async with talking(shop) as (_, client):
        await client.list_tools()
        said = await client.call_tool("say", {"text": STATUS})
        await client.call_tool("write", {"text": "x"})
        await client.call_tool("whisper", {"text": "hm"})
        with pytest.raises(MCPError):
            await client.call_tool("shred", {})
    found = ledger(shop)
    assert [(one.source, one.taint.value) for one in found] == [
        ("initialize", "trusted"),
        ("tools", "trusted"),
        ("tool:say", "trusted"),
        ("tool:write", "trusted"),
        ("request:logging", "trusted"),
        ("tool:whisper", "untrusted"),
        ("tool:shred", "trusted"),
    ]
    assert [one.text for one in found] == [None, None, None, WITHHELD_TEXT, None, None, WITHHELD_TEXT]
    assert found[2].flagged == {"model": 1}
    assert text_of(said) == STATUS
    assert all(len(one.digest) == 64 for one in found)
