"""MCP servers over HTTP that come back: what was asked of a session lasts, and they are listened to again."""

import asyncio
from typing import Any

import pytest

from profiles.schema import RequestKind
from runtime.gate.actions import Action, ActionKind
from runtime.gate.replies import NotPerformedError
from runtime.upstreams.errors import (
    ManifestChangedError,
    SessionLostError,
    UpstreamError,
    UpstreamGoneError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from runtime.upstreams.listening import PAUSE_S, Pauses, is_passing, listen
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.peers import refuse
from runtime.upstreams.upstreams import Upstreams
from tests.standins.profiles import http, make_policy, make_profile
from tests.standins.scripted_server import STREAM, Scripted, call, ok

pytestmark = pytest.mark.anyio


def request(kind: RequestKind, **args: Any) -> Action:
    return Action("act-1", "run-1", ActionKind.REQUEST, kind, args)


def subscription(uri: str, method: str = "resources/subscribe") -> Action:
    return request(RequestKind.SUBSCRIPTIONS, uri=uri, method=method)


async def test_another_session_has_the_subscriptions_and_the_log_level_of_the_one_before() -> None:
    script = Scripted(ok)
    script.session, script.capabilities = "first", {"tools": {}, "logging": {}, "resources": {}}
    async with script.upstreams() as members:
        await members.call(request(RequestKind.LOGGING, level="debug"))
        await members.call(request(RequestKind.LOGGING, level="error"))
        for uri in ("file:///a", "file:///b", "file:///c"):
            await members.call(subscription(uri))
        await members.call(subscription("file:///b", "resources/unsubscribe"))
        script.session = "second"
        with pytest.raises(SessionLostError):
            await members.call(call())
        assert (await members.call(call())).text == "ok"

    assert [(method, params) for session, method, params in script.asked if session == "second"] == [
        ("logging/setLevel", {"level": "error"}),
        ("resources/subscribe", {"uri": "file:///a"}),
        ("resources/subscribe", {"uri": "file:///c"}),
    ]


async def test_a_subscription_that_another_session_refuses_keeps_nothing_from_working() -> None:
    script = Scripted(ok)
    script.session, script.capabilities = "first", {"tools": {}, "resources": {}}
    async with script.upstreams() as members:
        await members.call(subscription("file:///a"))
        script.session = "second"
        script.refused.add("resources/subscribe")
        with pytest.raises(SessionLostError):
            await members.call(call())
        assert (await members.call(call())).text == "ok"


async def test_a_server_whose_port_was_closed_for_a_while_is_listened_to_again() -> None:
    script = Scripted(ok)
    script.session = "first"
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def notice(method: str, _params: Any) -> None:
        heard.put_nowait(method)

    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    profile = make_profile({"far": http(port)}, ["say"])
    members = Upstreams(profile, ServerOpener(profile, make_policy(profile)), call_s=2)
    members.attach(notice, refuse)
    await members.start()
    await asyncio.wait_for(script.listened.wait(), 30)
    server.close()
    for connection in script.connections:
        connection.close()
    await asyncio.sleep(2 * PAUSE_S)  # long enough to be refused at least once
    again = await asyncio.start_server(script.serve, "127.0.0.1", port)
    script.news.put_nowait({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    assert await asyncio.wait_for(heard.get(), 30) == "notifications/tools/list_changed"
    await members.close()
    again.close()


BAD_GATEWAY, UNAVAILABLE = "502 Bad Gateway", "503 Service Unavailable"
NEWS = "notifications/tools/list_changed"


async def test_a_tool_that_changed_while_a_proxy_answered_for_its_server_stops_the_deployment() -> None:
    """R-76: the server is listened to again, and what was missed meanwhile is found by comparing."""
    script, changed = Scripted(ok), asyncio.Queue[ManifestChangedError]()
    script.session = "first"
    async with script.upstreams(pinned=True, on_changed=changed.put_nowait):
        await asyncio.wait_for(script.listened.wait(), 30)
        script.tools = [{"name": "say", "description": "another", "inputSchema": {"type": "object"}}]
        script.in_its_place = [BAD_GATEWAY, UNAVAILABLE]
        await drop(script)
        assert (await asyncio.wait_for(changed.get(), 30)).changed == ("tool:say",)
    assert script.in_its_place == []


async def test_a_pinned_tool_that_is_gone_stops_the_deployment_too() -> None:
    """R-76."""
    script, changed = Scripted(ok), asyncio.Queue[ManifestChangedError]()
    script.session = "first"
    async with script.upstreams(pinned=True, on_changed=changed.put_nowait):
        await asyncio.wait_for(script.listened.wait(), 30)
        script.tools = []
        script.news.put_nowait({"jsonrpc": "2.0", "method": NEWS})
        assert (await asyncio.wait_for(changed.get(), 30)).changed == ("tool:say",)


async def test_who_is_listened_to_again_is_heard_and_its_news_of_before_is_passed_on_once() -> None:
    """F25: other tools are offered since; the agent's client is told as if it had been heard."""
    script, heard = Scripted(ok), asyncio.Queue[str]()
    script.session = "first"

    async def notice(method: str, _params: Any) -> None:
        heard.put_nowait(method)

    async with script.upstreams() as members:
        members.attach(notice, refuse)
        await asyncio.wait_for(script.listened.wait(), 30)
        script.tools = [*script.tools, {"name": "more", "inputSchema": {"type": "object"}}]
        script.in_its_place = [UNAVAILABLE]
        await drop(script)
        assert await asyncio.wait_for(heard.get(), 30) == NEWS
        script.listened.clear()
        await drop(script)
        await asyncio.wait_for(script.listened.wait(), 30)
        script.news.put_nowait({"jsonrpc": "2.0", "method": "notifications/resources/updated"})
        assert await asyncio.wait_for(heard.get(), 30) == "notifications/resources/updated"


async def test_a_call_whose_stream_cannot_be_resumed_is_never_said_to_be_undone() -> None:
    """F25: the request was sent before its stream was closed; a proxy's 503 to the next look says nothing."""

    async def closes_its_stream(_message: Any, writer: asyncio.StreamWriter) -> None:
        script.in_its_place = [UNAVAILABLE] * 9
        writer.write(STREAM)
        data = b"id: 7\r\nretry: 10\r\ndata:\r\n\r\n"
        writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n0\r\n\r\n")

    script = Scripted(closes_its_stream)
    async with script.upstreams() as members:
        with pytest.raises(UpstreamGoneError) as raised:
            await members.call(call())
    assert not isinstance(raised.value, NotPerformedError)


async def drop(script: Scripted) -> None:
    """Close every connection, as a proxy does that is started anew."""
    for connection in script.connections:
        connection.close()
    script.connections.clear()


Heard = UpstreamError | bool


@pytest.mark.parametrize(
    ("each", "missed"),
    [
        pytest.param([False], [False], id="there is no stream"),
        pytest.param([True, True, False], [False, True, True], id="it ends again and again"),
        pytest.param([UpstreamUnavailableError("502"), False], [False, True], id="a proxy answers"),
        pytest.param([UpstreamTimeoutError("list"), False], [False, True], id="it cannot be compared now"),
        pytest.param([UpstreamProtocolError("list"), False], [False, True], id="nor understood"),
        pytest.param([SessionLostError("gone")], [False], id="the session is lost"),
        pytest.param([ManifestChangedError("far", ("tool:say",))], [False], id="it changed"),
    ],
)
async def test_listening_goes_on_until_there_is_nothing_to_listen_to(
    each: list[Heard], missed: list[bool]
) -> None:
    told: list[bool] = []

    async def once(missed: bool) -> bool:
        told.append(missed)
        if isinstance(now := each.pop(0), UpstreamError):
            raise now
        return now

    await asyncio.wait_for(listen(once, Pauses(0.001, 0.002)), 30)
    assert told == missed


@pytest.mark.parametrize(
    ("status", "passing"),
    [
        (429, True),
        (500, True),
        (502, True),
        (503, True),
        (504, True),
        (501, False),
        (405, False),
        (401, False),
    ],
)
def test_a_status_that_may_pass_is_told_from_one_that_stays(status: int, passing: bool) -> None:
    assert is_passing(status) is passing
