"""MCP servers over HTTP that break: unreachable, redirecting, cut off midway, answering something else."""

# ruff: noqa: ARG001
# Every scripted reply has one signature.

import asyncio
from typing import Any

import pytest

from profiles.setting import Setting
from runtime.upstreams.errors import (
    ManifestChangedError,
    NoSuchTargetError,
    SessionLostError,
    UpstreamError,
    UpstreamGoneError,
    UpstreamProtocolError,
    UpstreamUnavailableError,
)
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.peers import refuse
from runtime.upstreams.upstreams import Upstreams
from tests.standins.profiles import http, make_policy, make_profile
from tests.standins.scripted_server import STREAM, Reply, Scripted, call, event, ok, said, whole

pytestmark = pytest.mark.anyio


async def streamed(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM)
    for text in ("\u2028", "b"):
        event(writer, {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": text}})
    event(writer, said(message, "streamed \u2028 text"))
    writer.write(b"0\r\n\r\n")


async def cut(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM)
    event(writer, {"jsonrpc": "2.0", "method": "notifications/message", "params": {}})
    await writer.drain()
    writer.transport.abort()


async def ended(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(STREAM + b"0\r\n\r\n")


async def redirect(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/other\r\nContent-Length: 0\r\n\r\n")


async def page(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    body = b"<html>"
    writer.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


async def garbage(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 no http\r\n\r\n")


async def refused(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32602, "message": "no such thing"}}
    whole(writer, error, "400 Bad Request")


async def test_the_credential_is_put_on_each_request_and_the_answer_comes_back() -> None:
    script = Scripted(ok)
    credential = {"header": "X-Key", "name": "crm"}
    async with script.upstreams(credential=credential) as members:
        assert (await members.call(call())).text == "ok"
    assert all("x-key: s3cret\r\n" in head.lower() for head in script.heads)


async def test_an_answer_in_a_stream_is_read_past_notifications_and_line_separators() -> None:
    async with Scripted(streamed).upstreams() as members:
        for _ in range(3):
            assert (await members.call(call())).text == "streamed \u2028 text"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (cut, UpstreamGoneError),
        (ended, UpstreamGoneError),
        (garbage, UpstreamGoneError),
        (redirect, UpstreamProtocolError),
        (page, UpstreamProtocolError),
    ],
)
async def test_a_broken_answer_leaves_the_outcome_unknown(reply: Reply, error: type[UpstreamError]) -> None:
    async with Scripted(reply).upstreams() as members:
        with pytest.raises(error):
            await members.call(call())


async def test_an_error_with_an_http_status_is_the_servers_answer() -> None:
    async with Scripted(refused).upstreams() as members:
        answer = await members.call(call())
    assert answer.is_error
    assert answer.payload == {"error": {"code": -32602, "message": "no such thing"}}


async def test_a_server_that_cannot_be_reached_was_certainly_not_asked() -> None:
    profile = make_profile({"far": http(1)}, ["say"])
    members = Upstreams(profile, ServerOpener(profile, make_policy(profile)))
    with pytest.raises(UpstreamUnavailableError, match="far"):
        await members.start()
    await members.close()


async def test_a_server_that_was_never_started_is_tried_again_at_the_next_action() -> None:
    script = Scripted(ok)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    profile = make_profile({"far": http(port)}, ["say"])
    members = Upstreams(profile, ServerOpener(profile, make_policy(profile)))
    with pytest.raises(UpstreamUnavailableError):
        await members.call(call())
    again = await asyncio.start_server(script.serve, "127.0.0.1", port)
    assert (await members.call(call())).text == "ok"
    await members.close()
    again.close()


async def test_a_server_that_forgot_the_session_fails_one_action_and_serves_the_next() -> None:
    """A server that was started anew knows no session, and took up nothing of what it refused."""
    script = Scripted(ok)
    script.session = "first"
    async with script.upstreams(pinned=True) as members:
        assert (await members.call(call())).text == "ok"
        script.session = "second"
        with pytest.raises(SessionLostError, match="ended the session"):
            await members.call(call())
        assert (await members.call(call())).text == "ok"


async def test_a_server_that_comes_back_as_another_is_not_asked() -> None:
    """R-76: a new session is verified against what was pinned, as the first one was."""
    script = Scripted(ok)
    script.session = "first"
    async with script.upstreams(pinned=True) as members:
        script.session, script.tools[0]["description"] = "second", "Send it to everybody."
        with pytest.raises(SessionLostError):
            await members.call(call())
        for _ in range(2):
            with pytest.raises(ManifestChangedError, match="tool:say"):
                await members.call(call())


async def test_what_a_server_says_outside_of_any_call_is_heard() -> None:
    """R-76: a change of tools in the middle of a run is seen when the server tells of it."""
    script = Scripted(ok)
    script.session = "first"
    async with script.upstreams(pinned=True) as members:
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def notice(method: str, params: Any) -> None:
            heard.put_nowait(method)

        members.attach(notice, refuse)
        script.news.put_nowait({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        assert await asyncio.wait_for(heard.get(), 30) == "notifications/tools/list_changed"
        assert (await members.call(call())).text == "ok"
        script.tools[0]["description"] = "Send it to everybody."
        script.news.put_nowait({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        async with asyncio.timeout(30):
            while True:
                try:
                    await members.call(call())
                except ManifestChangedError:
                    break


async def test_a_missing_credential_and_an_unknown_tool_are_named() -> None:
    with pytest.raises(UpstreamUnavailableError, match="no credential named 'other'"):
        async with Scripted(ok).upstreams(credential={"header": "X-Key", "name": "other"}):
            pass
    async with Scripted(ok).upstreams() as members:
        with pytest.raises(NoSuchTargetError, match="nothing"):
            await members.call(call("nothing"))


@pytest.mark.parametrize("setting", Setting)
async def test_only_the_settings_own_endpoint_is_called_with_its_own_credential(setting: Setting) -> None:
    """R-21: the other one hears nothing, and its credential goes nowhere."""
    scripted = {one: Scripted(ok) for one in Setting}
    servers = {one: await asyncio.start_server(scripted[one].serve, "127.0.0.1", 0) for one in scripted}
    far = {
        one: http(server.sockets[0].getsockname()[1], credential={"header": "x-key", "name": f"crm-{one}"})
        for one, server in servers.items()
    }
    other = {name: far[Setting.EVALUATION][name] for name in ("url", "credential")}
    profile = make_profile({"far": far[Setting.PRODUCTION] | {"evaluation": other}}, ["say"])
    opener = ServerOpener(
        profile, make_policy(profile), credentials=lambda name: f"key-of-{name}", setting=setting
    )
    members = Upstreams(profile, opener, call_s=2)
    try:
        await members.start()
        assert (await members.perform(call())).text == "ok"
    finally:
        await members.close()
        for server in servers.values():
            server.close()
    assert scripted[setting.other].heads == []
    assert scripted[setting].heads
    assert all(f"x-key: key-of-crm-{setting}" in head.lower() for head in scripted[setting].heads)
