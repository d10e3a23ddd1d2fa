"""`/mcp` as an official client sees it, in both eras, against servers that behave and servers that do not."""

# ruff: noqa: ARG001, ASYNC110, SIM117
# Callbacks have the SDK's signatures; a state of another process is polled for; nested reads better.

import asyncio
import json
from typing import Any

import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference

from profiles.schema import Profile
from runtime.gate.actions import ActionKind
from runtime.gate.replies import WITHHELD_TEXT
from tests.standins.odd_server import TOOLS
from tests.standins.profiles import EVERYTHING, http, make_profile, stdio
from tests.standins.raw_http import RawClient
from tests.standins.served import SERVED_ODD as ODD
from tests.standins.served import served

pytestmark = pytest.mark.anyio
ERAS = ["legacy", "2026-07-28"]


def odd_profile(**rest: Any) -> Profile:
    return make_profile({"odd": ODD}, TOOLS, **rest)


def text_of(result: Any) -> str:
    return str(result.content[0].text)


@pytest.mark.parametrize("mode", ERAS)
async def test_only_named_tools_are_listed_under_the_profiles_names(mode: Any) -> None:
    profile = make_profile(
        {"odd": ODD}, [], tools={"say": {"upstream": "odd", "tool": "echo", "effect": "read"}}
    )
    async with served(profile) as door, Client(door.url, mode=mode) as client:
        listed = (await client.list_tools()).tools
        result = await client.call_tool("say", {"a": "b"})
    assert [tool.name for tool in listed] == ["say"]
    assert (text_of(result), result.is_error) == ('{"a": "b"}', False)
    assert [(action.kind, action.tool) for action in door.gate.seen] == [(ActionKind.TOOL, "say")]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_tool_the_profile_does_not_name_passes_the_gate_and_is_unknown(mode: Any) -> None:
    profile = make_profile({"odd": ODD}, ["echo"])
    async with served(profile) as door, Client(door.url, mode=mode) as client:
        with pytest.raises(MCPError, match="Unknown tool: die") as caught:
            await client.call_tool("die", {})
    assert caught.value.error.code == -32602
    assert [action.tool for action in door.gate.seen] == ["die"]


@pytest.mark.parametrize("mode", ERAS)
async def test_a_withheld_call_is_a_tool_error_with_the_constant_text(mode: Any) -> None:
    async with served(odd_profile()) as door, Client(door.url, mode=mode) as client:
        door.gate.withhold.add("echo")
        result = await client.call_tool("echo", {})
    assert (text_of(result), result.is_error) == (WITHHELD_TEXT, True)


async def test_the_rationale_is_taken_from_the_requests_meta() -> None:
    async with served(odd_profile()) as door, Client(door.url, mode="legacy") as client:
        await client.call_tool("echo", {}, meta={"rationale": "because"})  # type: ignore[typeddict-unknown-key]
        await client.call_tool("echo", {})
    assert [action.rationale for action in door.gate.seen] == ["because", None]


@pytest.mark.parametrize("mode", ERAS)
async def test_progress_is_mapped_through_cleaned_and_in_order(mode: Any) -> None:
    heard: list[tuple[float, str | None]] = []

    async def progress(amount: float, total: float | None, message: str | None) -> None:
        heard.append((amount, message))

    async with served(odd_profile()) as door, Client(door.url, mode=mode) as client:
        await client.call_tool("progress", {}, progress_callback=progress)
    assert heard == [(1, "half[1m"), (2, "half[1m"), (3, "half[1m")]


@pytest.mark.parametrize("mode", ERAS)
async def test_many_calls_share_one_session_and_none_waits_for_another(mode: Any) -> None:
    async with served(odd_profile()) as door, Client(door.url, mode=mode) as client:
        seconds = [0.4, 0.3, 0.2, 0.1, 0.0]
        calls = [client.call_tool("slow", {"seconds": value}) for value in seconds]
        results = await asyncio.gather(*calls)
    assert [float(text_of(result)) for result in results] == seconds


@pytest.mark.parametrize("mode", ERAS)
async def test_a_client_that_gives_up_cancels_the_upstreams_call(mode: Any) -> None:
    async with served(odd_profile()) as door, Client(door.url, mode=mode) as client:
        with pytest.raises((TimeoutError, MCPError)):
            await client.call_tool("never", {}, read_timeout_seconds=0.3)
        async with asyncio.timeout(5):
            while json.loads(text_of(await client.call_tool("cancelled", {}))) == []:
                await asyncio.sleep(0.05)


async def test_an_upstreams_own_error_reaches_the_client_as_it_came() -> None:
    async with served(odd_profile()) as door, Client(door.url, mode="legacy") as client:
        with pytest.raises(MCPError, match="my own error") as caught:
            await client.call_tool("error_answer", {})
    assert (caught.value.error.code, caught.value.error.data) == (-32050, {"a": 1})


async def test_an_upstream_that_dies_midway_is_an_internal_error_and_stays_away() -> None:
    async with served(odd_profile()) as door, Client(door.url, mode="legacy") as client:
        for tool in ("die", "echo"):
            with pytest.raises(MCPError, match="Internal error") as caught:
                await client.call_tool(tool, {})
            assert caught.value.error.code == -32603


async def test_garbage_on_an_upstreams_output_is_passed_over() -> None:
    async with served(odd_profile()) as door, Client(door.url, mode="legacy") as client:
        assert text_of(await client.call_tool("garbage", {})) == "survived"
        with pytest.raises(MCPError, match="Internal error"):
            await client.call_tool("no_answer_shape", {})
        assert text_of(await client.call_tool("flood", {})) == "flooded"
        assert text_of(await client.call_tool("echo", {})) == "{}"


async def test_a_reply_that_is_too_large_is_an_error_and_the_next_call_works() -> None:
    profile = odd_profile(limits={"result_bytes": 1000})
    async with served(profile) as door, Client(door.url, mode="legacy") as client:
        with pytest.raises(MCPError, match="too large"):
            await client.call_tool("huge", {"size": 500_000})
        assert text_of(await client.call_tool("huge", {"size": 10})) == "x" * 10


async def test_an_upstream_that_never_answers_is_given_up() -> None:
    async with served(odd_profile(), call_s=0.3) as door, Client(door.url, mode="legacy") as client:
        with pytest.raises(MCPError, match="Internal error"):
            await client.call_tool("never", {})
        assert json.loads(text_of(await client.call_tool("cancelled", {}))) != []


async def test_everything_besides_tools_is_refused_and_recorded_where_the_profile_is_silent() -> None:
    async with served(make_profile({"every": stdio()}, ["test_simple_text"])) as door:
        async with Client(door.url, mode="legacy") as client:
            assert client.server_capabilities.resources is None
            for asked in (
                client.list_resources(),
                client.read_resource("test://static-text"),
                client.get_prompt("test_simple_prompt"),
                client.complete(PromptReference(name="test_simple_prompt"), {"name": "a", "value": "b"}),
            ):
                with pytest.raises(MCPError) as caught:
                    await asked
                assert caught.value.error.code == -32601
    assert [action.kind for action in door.gate.seen] == [ActionKind.REQUEST] * 4


async def test_an_upstream_may_ask_for_nothing_that_the_profile_does_not_permit() -> None:
    asked: list[Any] = []

    async def elicited(ctx: Any, params: Any) -> Any:
        asked.append(params)

    profile = make_profile({"every": stdio()}, ["test_elicitation"])
    async with served(profile) as door:
        async with Client(door.url, mode="legacy", elicitation_callback=elicited) as client:
            with pytest.raises(MCPError):
                await client.call_tool("test_elicitation", {"message": "hi"})
    assert asked == []
    assert [(a.kind, a.tool) for a in door.gate.seen][1] == (ActionKind.REQUEST, "elicitation")


@pytest.mark.parametrize("mode", ERAS)
async def test_resources_prompts_and_completion_are_actions_of_their_kind(mode: Any) -> None:
    profile = make_profile({"every": stdio()}, ["test_simple_text"], requests=EVERYTHING)
    async with served(profile) as door, Client(door.url, mode=mode) as client:
        read = await client.read_resource("test://static-text")
        prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        resources = (await client.list_resources()).resources
    assert read.contents[0].text.startswith("This is the content")  # type: ignore[union-attr]
    assert "arg1='a'" in prompt.messages[0].content.text  # type: ignore[union-attr]
    assert len(resources) == 3
    kinds = [action.kind for action in door.gate.seen]
    assert kinds == [ActionKind.RESOURCE, ActionKind.PROMPT]


async def test_a_stream_of_changes_tells_the_modern_client_of_an_updated_resource() -> None:
    profile = make_profile({"every": stdio()}, ["test_simple_text"], requests=EVERYTHING)
    async with served(profile) as door, Client(door.url, mode="2026-07-28") as client:
        async with client.listen(resource_subscriptions=["test://watched-resource"]) as events:
            await door.upstreams._members["every"].call(
                "resources/subscribe", {"uri": "test://watched-resource"}
            )
            async with asyncio.timeout(10):
                event = await anext(aiter(events))
    assert "watched-resource" in str(event)


async def test_an_upstream_over_http_serves_many_at_once(everything_port: int) -> None:
    profile = make_profile({"every": http(everything_port)}, ["test_simple_text", "test_tool_with_progress"])
    async with served(profile) as door, Client(door.url, mode="legacy") as client:
        results = await asyncio.gather(*(client.call_tool("test_tool_with_progress", {}) for _ in range(8)))
    assert {text_of(result) for result in results} == {"Tool with progress executed"}


async def test_plain_json_clients_need_no_session_in_either_era() -> None:
    async with served(odd_profile()) as door:
        client = await RawClient.open(door.port)
        for era in ("2026-07-28", "2025-11-25"):
            answer = await client.call("echo", {"a": 1}, era=era)
            assert answer.headers["content-type"] == "application/json"
            assert answer.json()["result"]["content"][0]["text"] == '{"a": 1}'
        await client.close()
