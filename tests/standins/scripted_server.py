"""An MCP server over HTTP whose every answer is a test's."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from runtime.gate.actions import Action, ActionKind
from runtime.upstreams.errors import ManifestChangedError
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.upstreams import Upstreams
from tests.standins.profiles import http, make_policy, make_profile

Reply = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]


LASTING = ("logging/setLevel", "resources/subscribe", "resources/unsubscribe")


class Scripted:
    """An HTTP server that answers the handshake, and tool calls as the test says.

    Attributes:
        in_its_place: what a proxy answers to the next ones who want to listen, a status each.
    """

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.heads: list[str] = []
        self.tools: list[dict[str, Any]] = [{"name": "say", "inputSchema": {"type": "object"}}]
        self.session: str | None = None
        self.capabilities: dict[str, Any] = {"tools": {}}
        self.asked: list[tuple[str | None, str, Any]] = []
        self.refused: set[str] = set()
        self.connections: list[asyncio.StreamWriter] = []
        self.listened = asyncio.Event()
        self.news: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.in_its_place: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                length = int(head.lower().partition("content-length:")[2].split("\r\n")[0] or 0)
                message = json.loads(await reader.readexactly(length) or b"{}")
                if self.session and message.get("method") != "initialize" and self.session not in head:
                    error = {"code": -32600, "message": "Session not found"}
                    whole(writer, {"jsonrpc": "2.0", "id": None, "error": error}, "404 Not Found")
                elif head.startswith("GET") and self.in_its_place:
                    writer.write(proxys(self.in_its_place.pop(0)))
                elif head.startswith("GET") and self.session:
                    await self.tell_news(reader, writer)
                else:
                    await self.answer(message, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        method, number = message.get("method"), message.get("id")
        results: dict[Any, Any] = {
            "initialize": {"protocolVersion": "2025-11-25", "capabilities": self.capabilities},
            "tools/list": {"tools": self.tools},
            **{lasting: {} for lasting in LASTING},
        }
        if method in LASTING:
            self.asked.append((self.session, method, message["params"]))
        if method in self.refused:
            whole(writer, {"jsonrpc": "2.0", "id": number, "error": {"code": -32602, "message": "gone"}})
        elif number is None or method not in {*results, "tools/call"}:
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        elif method == "tools/call":
            await self.reply(message, writer)
        else:
            more = f"Mcp-Session-Id: {self.session}\r\n" if self.session and method == "initialize" else ""
            whole(writer, {"jsonrpc": "2.0", "id": number, "result": results[method]}, more=more)
        await writer.drain()

    async def tell_news(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM)
        self.listened.set()
        left = asyncio.create_task(reader.read())
        while True:
            news = asyncio.create_task(self.news.get())
            await asyncio.wait({left, news}, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                news.cancel()
                left.exception()  # a reset is an end as well
                raise ConnectionResetError
            event(writer, news.result())
            await writer.drain()

    @asynccontextmanager
    async def upstreams(
        self,
        *,
        pinned: bool = False,
        on_changed: Callable[[ManifestChangedError], None] = lambda _: None,
        **rest: Any,
    ) -> AsyncIterator[Upstreams]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        profile = make_profile({"far": http(server.sockets[0].getsockname()[1], **rest)}, ["say"])
        opener = ServerOpener(profile, make_policy(profile), credentials={"crm": "s3cret"}.__getitem__)
        members = Upstreams(profile, opener, call_s=2)
        try:
            pins = await members.start()
            if pinned:
                await members.close()
                members = Upstreams(profile, opener, pinned=pins, on_changed=on_changed, call_s=2)
                await members.start()
            yield members
        finally:
            await members.close()
            server.close()


def whole(writer: asyncio.StreamWriter, message: Any, status: str = "200 OK", more: str = "") -> None:
    body = json.dumps(message).encode()
    kind = "Content-Type: application/json"
    head = f"HTTP/1.1 {status}\r\n{more}{kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


def proxys(status: str) -> bytes:
    """What a proxy answers for a server that it cannot reach."""
    body = "<html>come back later</html>"
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def said(message: dict[str, Any], text: str = "ok") -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": message["id"], "result": {"content": [{"type": "text", "text": text}]}}


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(writer: asyncio.StreamWriter, message: Any) -> None:
    data = f"event: message\r\ndata: {json.dumps(message)}\r\n\r\n".encode()
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def call(tool: str = "say") -> Action:
    return Action("act-1", "run-1", ActionKind.TOOL, tool, {"a": 1})


async def ok(message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    whole(writer, said(message))
