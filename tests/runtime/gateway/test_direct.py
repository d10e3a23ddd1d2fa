"""The short way of a tool call: the same bytes as by the SDK, for calls that are right in all respects."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import Message

from runtime.gate.replies import Done
from runtime.gateway.app import GONE
from runtime.gateway.direct import DirectCalls, direct_call, headers_of
from runtime.gateway.mcp_server import Handlers, build_server
from runtime.gateway.passage import Passage
from runtime.gateway.sessions import Sessions
from tests.standins.odd_server import TOOLS
from tests.standins.open_gate import OpenGate
from tests.standins.profiles import make_profile, make_run
from tests.standins.raw_http import ENVELOPE, MODERN, Answer, RawClient
from tests.standins.served import SERVED_ODD as ODD
from tests.standins.served import Served, served

pytestmark = pytest.mark.anyio

BOTH = "application/json, text/event-stream"
HOSTS = frozenset({"127.0.0.1"})
BY_THE_SDK = "Origin: http://127.0.0.1\r\n"
"""A request with an origin of ours is as right as one without, and goes the long way."""
PROFILE = make_profile({"odd": ODD}, TOOLS)


def message(tool: Any = "echo", args: Any = None, **rest: Any) -> dict[str, Any]:
    params = {"name": tool, "arguments": args or {}, "_meta": ENVELOPE}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params} | rest


def headers(**rest: str) -> dict[str, str]:
    told = {
        "host": "127.0.0.1:8080",
        "content-type": "application/json",
        "accept": BOTH,
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    }
    return told | {name.replace("_", "-"): value for name, value in rest.items()}


def scope(pairs: Mapping[str, str], **rest: Any) -> dict[str, Any]:
    lines = [(name.encode(), value.encode()) for name, value in pairs.items()]
    return {"type": "http", "method": "POST", "path": "/mcp", "headers": lines} | rest


def body(value: Any, **rest: Any) -> Message:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return {"type": "http.request", "body": data, "more_body": False} | rest


async def posted(client: RawClient, tool: str, args: Any, accept: str, more: str) -> Answer:
    routed = f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
    return await client.post(json.dumps(message(tool, args)).encode(), routed + more, accept=accept)


@pytest.mark.parametrize("accept", ["application/json", BOTH])
@pytest.mark.parametrize(
    ("tool", "args"),
    [
        ("echo", {"a": 'ä "quoted" \U0001f600', "none": None}),
        ("garbage", {}),
        ("error_answer", {}),
        ("no_answer_shape", {}),
        ("flood", {}),
        ("no_such_tool", {}),
        ("cancelled", {}),
    ],
)
async def test_both_ways_answer_with_the_same_bytes(tool: str, args: Any, accept: str) -> None:
    """R-20: which way a call went cannot be told from its answer."""
    async with served(PROFILE) as door:
        door.gate.withhold.add("cancelled")
        client = await RawClient.open(door.port)
        short = await posted(client, tool, args, accept, "")
        long = await posted(client, tool, args, accept, BY_THE_SDK)
        await client.close()
    assert short == long
    assert [action.tool for action in door.gate.seen] == [tool, tool]


@pytest.mark.parametrize(
    "answer",
    [
        {"content": [], "structuredContent": {"a": None, "b": [1.5, {"c": None}]}},
        {"content": [{"type": "text", "text": "x", "strange": 1}], "strange": {"a": 1}},
        {"content": [{"type": "image", "data": "aGk=", "mimeType": "image/png"}], "isError": True},
        {"content": [], "_meta": {"theirs": 1}},
        {"content": [], "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "n", "version": "2"}}},
        {"content": "no list"},
        {"content": [{"type": "no such"}]},
        {"resultType": "input_required", "content": []},
    ],
)
async def test_both_ways_shape_a_result_alike(answer: dict[str, Any]) -> None:
    async with served(PROFILE, gate=_Answering(answer)) as door:
        client = await RawClient.open(door.port)
        short = await posted(client, "echo", {}, "application/json", "")
        long = await posted(client, "echo", {}, "application/json", BY_THE_SDK)
        await client.close()
    assert short == long


class _Answering(OpenGate):
    """A gate that knows the answer of every action already."""

    def __init__(self, payload: Any) -> None:
        super().__init__()
        self._payload = payload

    async def enforce(self, *args: Any, **rest: Any) -> Any:
        del args, rest
        return Done(self._payload)


def test_a_call_that_is_right_in_all_respects_goes_the_short_way() -> None:
    for accept in ("application/json", BOTH, "text/event-stream,application/json"):
        told = headers_of(scope(headers(accept=accept)), HOSTS)
        assert told is not None
        call = direct_call(told, body(message(args={"a": 1})), 1000)
        assert call is not None
        assert (call.name, call.args, call.id) == ("echo", {"a": 1}, 1)


@pytest.mark.parametrize(
    "asked",
    [
        scope(headers(), method="GET"),
        scope(headers(mcp_protocol_version="2025-11-25")),
        scope(headers(mcp_method="tools/list")),
        scope(headers(content_type="text/plain")),
        scope(headers(host="elsewhere:8080")),
        scope(headers(host="127.0.0.1.elsewhere")),
        scope(headers(origin="http://127.0.0.1")),
        scope(headers(accept="text/html")),
        scope(headers(accept="*/*")),
        scope(headers(), headers=[*scope(headers())["headers"], (b"mcp-name", b"echo")]),
        scope({name: value for name, value in headers().items() if name != "host"}),
    ],
)
def test_a_request_that_is_another_in_its_head_is_the_sdks(asked: dict[str, Any]) -> None:
    assert headers_of(asked, HOSTS) is None


@pytest.mark.parametrize(
    "came",
    [
        body(message(), more_body=True),
        body(message(args={"a": "x" * 1000})),
        {"type": "http.disconnect"},
        body(b"{"),
        body(b"[" * 900),
        body([message()]),
        body(message(jsonrpc="1.0")),
        body(message(id=None)),
        body(message(id=1.5)),
        body(message(method="tools/list")),
        body(message("another")),
        body(message(7)),
        body(message(args=[1])),
        body(message(params=None)),
        body(message(params={"name": "echo"})),
        body(message(params={"name": "echo", "_meta": ENVELOPE | {"progressToken": 1}})),
        body(
            message(params={"name": "echo", "_meta": ENVELOPE | {"io.modelcontextprotocol/logLevel": "info"}})
        ),
        body(
            message(
                params={
                    "name": "echo",
                    "_meta": ENVELOPE | {"io.modelcontextprotocol/protocolVersion": "2027-01-01"},
                }
            )
        ),
    ],
)
def test_a_body_that_is_not_all_right_or_asks_for_more_than_an_answer_is_the_sdks(came: Message) -> None:
    assert direct_call(headers(), came, 1000) is None


async def test_what_is_not_the_short_ways_reaches_the_sdk_whole() -> None:
    async with served(PROFILE) as door:
        client = await RawClient.open(door.port)
        params = {"name": "echo", "arguments": {"a": 1}, "_meta": ENVELOPE | {"progressToken": 5}}
        routed = f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: echo\r\n"
        answer = await client.post(json.dumps(message(params=params)).encode(), routed)
        await client.close()
    assert answer.json()["result"]["content"][0]["text"] == '{"a": 1}'


async def test_an_answer_that_takes_long_becomes_a_stream_that_is_kept_alive() -> None:
    async with served(PROFILE) as door:
        sent = await _asked(door, {"seconds": 0.5}, ping_s=0.1, accept=BOTH)
    kinds = [one["type"] for one in sent]
    assert kinds[0] == "http.response.start"
    assert (b"content-type", b"text/event-stream") in sent[0]["headers"]
    *pings, last = [one["body"] for one in sent[1:]]
    assert len(pings) > 1
    assert set(pings) == {b": ping\r\n\r\n"}
    event, data = last.decode().strip().split("\r\n")
    assert event == "event: message"
    assert json.loads(data.removeprefix("data: "))["result"]["content"][0]["text"] == "0.5"


async def test_a_client_of_json_alone_waits_without_a_word() -> None:
    async with served(PROFILE) as door:
        sent = await _asked(door, {"seconds": 0.3}, ping_s=0.1, accept="application/json")
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]


@pytest.mark.parametrize("accept", ["application/json", BOTH])
async def test_a_client_that_leaves_ends_the_call(accept: str) -> None:
    async with served(PROFILE) as door:
        gone = asyncio.get_running_loop().create_future()
        asking = asyncio.create_task(_asked(door, {"seconds": 60}, ping_s=0.1, accept=accept, gone=gone))
        while not door.gate.seen:  # noqa: ASYNC110 - the gate has no event for it
            await asyncio.sleep(0.01)
        gone.set_result(None)
        async with asyncio.timeout(5):
            sent = await asking
        client = await RawClient.open(door.port)
        cancelled = await client.call("cancelled", {})
        await client.close()
    assert not any(b"result" in one.get("body", b"") for one in sent)
    assert len(json.loads(cancelled.json()["result"]["content"][0]["text"])) == 1


async def _asked(
    door: Served, args: Any, *, ping_s: float, accept: str, gone: asyncio.Future[None] | None = None
) -> list[Message]:
    """What a call of `slow` on the short way sends."""
    passage = Passage(make_run(PROFILE), door.gate, door.upstreams, lambda kind: f"{kind}-1")
    handlers = Handlers(passage, Sessions(frozenset(), passage.shown))
    calls = DirectCalls(handlers, build_server(handlers, ()), hosts=HOSTS, limit=10_000, ping_s=ping_s)
    sent: list[Message] = []

    async def receive() -> Message:
        return body(message("slow", args))

    async def send(one: Message) -> None:
        sent.append(one)

    state = {GONE: gone or asyncio.get_running_loop().create_future()}
    asked = scope(headers(mcp_name="slow", accept=accept), state=state)
    assert await calls.serve(asked, receive, send) is None
    return sent
