"""MCP servers over HTTP that come back: what was asked of a session lasts, and they are listened to again."""

import asyncio
from typing import Any

import pytest

from profiles.schema import RequestKind
from runtime.gate.actions import Action, ActionKind
from runtime.upstreams.errors import SessionLostError
from runtime.upstreams.http_peer import LISTEN_PAUSE_S
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.peers import refuse
from runtime.upstreams.upstreams import Upstreams
from tests.standins.profiles import http, make_policy, make_profile
from tests.standins.scripted_server import Scripted, call, ok

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
    await asyncio.sleep(2 * LISTEN_PAUSE_S)  # long enough to be refused at least once
    again = await asyncio.start_server(script.serve, "127.0.0.1", port)
    script.news.put_nowait({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    assert await asyncio.wait_for(heard.get(), 30) == "notifications/tools/list_changed"
    await members.close()
    again.close()
