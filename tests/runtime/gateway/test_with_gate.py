"""The gateway with the real gate and a real record: what an agent is told, and what stands in the log."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
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
from runtime.gate.replies import WITHHELD_TEXT
from runtime.gate.states import HoldState
from tests.standins.raw_http import RawClient
from tests.standins.served import ODD_SERVER, Served, served
from tests.standins.towns import DORA
from tests.standins.workshop import Workshop, make_workshop

pytestmark = pytest.mark.anyio

PROFILE = f"""
profile: bot
version: 1
purpose: Call a server that misbehaves, for tests of the gateway with the gate.
image: none:1
upstreams:
  odd: {{kind: stdio, image: "none:1", host: true, command: ["{sys.executable}", "{ODD_SERVER}"]}}
tools:
  look: {{upstream: odd, tool: echo, effect: read, args: {{folder: collection}}}}
  label: {{upstream: odd, tool: huge, effect: draft, args: {{text: text}}}}
  die: {{upstream: odd, effect: read}}
  never: {{upstream: odd, effect: read}}
sources: {{trusted: [odd]}}
known: {{collections: [INBOX]}}
never:
  - {{id: never-shred, text: Never shred anything at all., tools: [shred]}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    made = make_workshop(tmp_path, profile=PROFILE)
    profile = parse_profile(PROFILE.encode(), source="test").profile
    engine = CedarEngine.from_compiled(compile_profile(profile))
    made.run = replace(made.run, profile=profile, engine=engine)  # the policy here lets no server run outside
    yield made
    made.town.close()


@asynccontextmanager
async def door(shop: Workshop, **rest: Any) -> AsyncIterator[Served]:
    async with served(shop.run.profile, run=shop.run, gate=shop.gate, **rest) as opened:
        yield opened


def text_of(result: Any) -> str:
    return str(result.content[0].text)


async def test_a_read_is_done_and_a_write_becomes_a_suggestion(shop: Workshop) -> None:
    """R-10, R-16: at tier 0 a read happens, a write is recorded and answered with the constant text."""
    async with door(shop) as opened, Client(opened.url, mode="legacy") as client:
        read = await client.call_tool("look", {"folder": "INBOX"})
        write = await client.call_tool("label", {"text": "x"})
    assert text_of(read) == '{"folder": "INBOX"}'
    assert (text_of(write), write.is_error) == (WITHHELD_TEXT, True)
    assert shop.states() == ["done", "suggested"]


async def test_a_held_read_waits_and_is_answered_when_a_person_has_signed(shop: Workshop) -> None:
    async with door(shop) as opened, Client(opened.url, mode="legacy") as client:
        call = asyncio.create_task(client.call_tool("look", {"folder": "board"}))
        await until_held(shop)
        assert not call.done()
        await shop.vote(await shop.waiting(), DORA)
        assert text_of(await call) == '{"folder": "board"}'
    assert shop.states() == ["done"]


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_that_leaves_a_held_read_voids_it(shop: Workshop, mode: Any) -> None:
    async with door(shop) as opened, Client(opened.url, mode=mode) as client:
        with pytest.raises((MCPError, TimeoutError)):
            await client.call_tool("look", {"folder": "board"}, read_timeout_seconds=1.0)
        async with asyncio.timeout(10):
            while await shop.holds_in(HoldState.WAITING):  # noqa: ASYNC110 - a state in the record
                await asyncio.sleep(0.02)
    assert "done" not in shop.states()


async def test_what_an_upstream_did_before_it_died_is_unknown(shop: Workshop) -> None:
    async with door(shop) as opened, Client(opened.url, mode="legacy") as client:
        for _ in range(2):
            with pytest.raises(MCPError, match="Internal error"):
                await client.call_tool("die", {})
    assert shop.states() == ["unknown", "failed"]


async def test_a_cancelled_call_is_recorded_as_unknown(shop: Workshop) -> None:
    async with door(shop) as opened, Client(opened.url, mode="legacy") as client:
        with pytest.raises((MCPError, TimeoutError)):
            await client.call_tool("never", {}, read_timeout_seconds=0.5)
    assert shop.states() == ["unknown"]


@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_an_unknown_tool_and_a_lone_surrogate_never_reach_the_upstream(
    shop: Workshop, era: str
) -> None:
    async with door(shop) as opened:
        client = await RawClient.open(opened.port)
        unknown = await client.call("shred", {}, era=era)
        odd = await client.call("look", {"folder": "\ud800"}, era=era)
        big = await client.call("look", {"folder": 2**63 - 1}, era=era)
        await client.close()
    assert unknown.json()["error"]["code"] == -32602
    assert odd.status in {200, 400}
    assert '"folder"' not in odd.body.decode()
    assert big.json()["result"]["content"][0]["text"] == WITHHELD_TEXT
    assert "done" not in shop.states()


async def until_held(shop: Workshop) -> None:
    async with asyncio.timeout(10):
        while not await shop.holds_in(HoldState.WAITING):  # noqa: ASYNC110 - a state in the record
            await asyncio.sleep(0.02)
