"""What a hostile client can send to a run's HTTP door, and that it hurts nobody but itself."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runtime.gateway import protocol
from runtime.gateway.listener import MAX_CONNECTIONS
from tests.standins.profiles import make_profile
from tests.standins.raw_http import ENVELOPE, RawClient
from tests.standins.served import SERVED_ODD, Served, served

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: the fast one and the standard library's."""
    return "asyncio", {"use_uvloop": request.param}


@asynccontextmanager
async def door(**rest: Any) -> AsyncIterator[tuple[Served, RawClient]]:
    profile = make_profile({"odd": SERVED_ODD}, ["echo", "slow", "huge"], **rest)
    async with served(profile) as opened:
        client = await RawClient.open(opened.port)
        try:
            yield opened, client
        finally:
            await client.close()


TARGETS = [
    "GET http://127.0.0.1/mcp HTTP/1.1",
    "POST http://example.org/v1/chat/completions HTTP/1.1",
    "CONNECT example.org:443 HTTP/1.1",
    "CONNECT /mcp HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "GET mcp HTTP/1.1",
    "GET //[ HTTP/1.1\x00",
    "BREW /mcp",
]


@pytest.mark.parametrize("line", TARGETS)
async def test_a_target_that_is_not_in_origin_form_is_a_bad_request(line: str) -> None:
    async with door() as (_, client):
        await client.send(f"{line}\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode("latin-1"))
        assert (await client.answer()).status == 400


async def test_paths_that_we_do_not_have_are_not_found_and_nothing_names_us() -> None:
    async with door() as (_, client):
        for path in ("/", "/mcp/x", "/metrics", "/v1/files", "/anthropic/v1/files", "/%2e%2e/mcp", "/MCP"):
            answer = await client.post(b"{}", path=path)
            assert answer.status == 404, path
            told = f"{answer.headers}{answer.body!r}".lower()
            assert not any(word in told for word in ("handrail", "uvicorn", "python", "mcp", "server:"))


async def test_the_handshake_names_neither_product_nor_version() -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    async with door() as (_, client):
        answer = await client.post(json.dumps(message).encode())
    result = answer.json()["result"]
    assert result["serverInfo"] == {"name": "tools", "version": "1"}
    assert "instructions" not in result
    assert answer.headers.keys() <= {"content-type", "content-length"}


MALFORMED = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b'[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]',
    b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
    b'{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
    b'{"jsonrpc":"2.0","id":1,"method":5}',
    b'{"jsonrpc":"2.0","id":1}',
    b"\xff\xfe\x00",
    b"[" * 50_000,
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}',
]


@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.parametrize("era", ["2025-11-25", "2026-07-28"])
async def test_malformed_json_rpc_is_refused_and_the_connection_lives(era: str, body: bytes) -> None:
    async with door() as (opened, client):
        answer = await client.post(body, f"MCP-Protocol-Version: {era}\r\n")
        assert answer.status == 400 or (answer.status, answer.body) == (202, b"")  # taken for a notification
        assert (await client.call("echo", {})).status == 200
    assert len(opened.gate.seen) == 1


async def test_a_hundred_megabytes_are_refused_unread() -> None:
    async with door() as (opened, client):
        length = 100 * 1024 * 1024
        await client.send(
            b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Accept: application/json\r\nContent-Length: %d\r\n\r\n" % length
        )
        answer = await client.answer()
    assert answer.status == 413
    assert opened.gate.seen == []


async def test_a_hundred_megabytes_in_chunks_are_cut_off() -> None:
    async with door() as (opened, client):
        await client.send(
            b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Accept: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
        sent = 0
        try:
            for _ in range(100):
                await asyncio.wait_for(client.send(piece), 2)
                sent += len(piece)
        except (ConnectionError, TimeoutError):
            pass
        async with asyncio.timeout(5):
            assert (await client.answer()).status == 413
    assert opened.gate.seen == []


async def test_an_argument_just_over_its_limit_never_becomes_an_action() -> None:
    async with door(limits={"argument_bytes": 1000}) as (opened, client):
        answer = await client.call("echo", {"a": "x" * 100_000})
        assert answer.status == 413
    assert opened.gate.seen == []


async def test_endless_headers_are_a_bad_request() -> None:
    async with door() as (_, client):
        await client.send(b"GET /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for _ in range(40):
            await client.send(b"X-A: " + b"a" * 4096 + b"\r\n")
        assert (await client.answer()).status == 400


async def test_half_a_request_is_cut_off_in_time(half_requests: list[bytes]) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    config, state = protocol.run_config(_never), protocol.ServerState()

    def make() -> protocol.RunProtocol:
        return protocol.RunProtocol(config, state, loop, lambda _: None, head_s=0.3, body_s=0.3)

    server = await loop.create_server(make, sock=listener)
    try:
        for half in half_requests:
            client = await RawClient.open(listener.getsockname()[1])
            await client.send(half)
            async with asyncio.timeout(10):
                assert await client.reader.read() == b""
            await client.close()
    finally:
        server.close()
        for task in tuple(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)


@pytest.fixture
def half_requests() -> list[bytes]:
    return [
        b"",
        b"P",
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-",
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf",
        b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
    ]


async def _never(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - an ASGI application
    while (await receive())["type"] != "http.disconnect":
        continue


async def test_an_offer_to_switch_protocols_is_answered_as_if_it_were_not_there() -> None:
    async with door() as (_, client):
        await client.send(
            b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        assert (await client.answer()).status == 404


@pytest.mark.parametrize("name", ["Host: evil.example", "Host: 127.0.0.1\r\nOrigin: http://evil.example"])
async def test_another_host_or_origin_is_refused(name: str) -> None:
    async with door() as (opened, client):
        await client.send(
            f"POST /mcp HTTP/1.1\r\n{name}\r\nContent-Type: application/json\r\n"
            "Accept: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
        )
        assert (await client.answer()).status in {403, 421}
    assert opened.gate.seen == []


async def test_a_flood_of_connections_leaves_another_run_alone() -> None:
    """Ten thousand connections at one door; the other answers, and the flooded one does afterwards."""
    async with door() as (flooded, first), door() as (_, other):
        assert (await first.call("echo", {})).status == 200
        await first.close()
        held = []
        for opened in range(1, 10_001):
            sock = socket.socket()
            sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            sock.connect_ex(("127.0.0.1", flooded.port))
            held.append(sock)
            if len(held) > 400:
                held.pop(0).close()
            if opened % 1000 == 0:
                assert (await other.call("echo", {"n": opened})).status == 200
        listener = flooded.gateway._listeners[0]
        assert len(listener._open) + len(listener._starting) <= MAX_CONNECTIONS
        for sock in held:
            sock.close()
        async with asyncio.timeout(20):
            late = await RawClient.open(flooded.port)
            assert (await late.call("echo", {})).status == 200
            await late.close()


async def test_idle_connections_beyond_the_limit_wait_without_harm() -> None:
    async with door() as (opened, client), door() as (_, other):
        await client.close()
        idle = [await RawClient.open(opened.port) for _ in range(MAX_CONNECTIONS)]
        late = await RawClient.open(opened.port)
        waiting = asyncio.create_task(late.call("echo", {}))
        assert (await other.call("echo", {})).status == 200
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await idle.pop().close()
        async with asyncio.timeout(10):
            assert (await waiting).status == 200
        for each in [*idle, late]:
            await each.close()


async def test_nothing_is_answered_before_the_release() -> None:
    """The door stays shut until the box's proof is stored; what came before is served then."""
    profile = make_profile({"odd": SERVED_ODD}, ["echo"])
    async with served(profile, release=False) as opened:
        client = await RawClient.open(opened.port)
        call = asyncio.create_task(client.call("echo", {}))
        await asyncio.sleep(0.3)
        assert not call.done()
        assert opened.gate.seen == []
        opened.gateway.release()
        async with asyncio.timeout(10):
            assert (await call).status == 200
        await client.close()


async def test_a_door_can_be_closed_twice_and_its_clients_are_cut() -> None:
    async with door() as (opened, client):
        assert (await client.call("echo", {})).status == 200
        running = asyncio.create_task(client.call("slow", {"seconds": 60}))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(5):
            await opened.gateway.close()
            await opened.gateway.close()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await running
        with pytest.raises(ConnectionError):
            await RawClient.open(opened.port)


async def test_the_listener_is_the_identity_whatever_the_client_says() -> None:
    async with door() as (opened, client):
        params = {"name": "echo", "arguments": {}, "_meta": {**ENVELOPE, "run": "run-other"}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = (
            "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: echo\r\n"
            "Authorization: Bearer other\r\nX-Run: run-other\r\n"
        )
        assert (await client.post(json.dumps(message).encode(), headers)).status == 200
    assert opened.gate.seen[0].run == "run-test"
