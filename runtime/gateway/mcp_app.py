"""`/mcp`: the official SDK's streamable HTTP, both eras of the protocol, answering with JSON or with events.

A client that takes event streams gets the stateful server, with progress, cancellation and questions back.
One that takes only JSON cannot be told anything but the answer, so it gets the stateless one.
"""

import asyncio
from typing import Final

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import Receive, Scope, Send

from runtime.gateway.direct import DirectCalls
from runtime.gateway.mcp_server import Handlers, RunServer
from runtime.gateway.sessions import MAX_SESSIONS

_NAMES: Final = frozenset({"127.0.0.1", "localhost"})
_HOSTS: Final = [*_NAMES, *(f"{name}:*" for name in _NAMES)]
_ORIGINS: Final = [f"http://{host}" for host in _HOSTS]
_EVENTS: Final = (b"text/event-stream", b"text/*", b"*/*")
ENVELOPE_BYTES: Final = 64 * 1024


class McpApp:
    """Serves `/mcp` between `open` and `close`."""

    def __init__(self, server: RunServer, handlers: Handlers, *, argument_bytes: int) -> None:
        """Build the application.

        Args:
            server: the run's server.
            handlers: what happens at each request; a call that goes the short way needs no server.
            argument_bytes: largest arguments; a body may be that and its envelope.
        """
        security = TransportSecuritySettings(
            enable_dns_rebinding_protection=True, allowed_hosts=_HOSTS, allowed_origins=_ORIGINS
        )
        size = argument_bytes + ENVELOPE_BYTES
        self._events = StreamableHTTPSessionManager(
            server, security_settings=security, max_request_body_size=size, max_sessions=MAX_SESSIONS
        )
        self._plain = StreamableHTTPSessionManager(
            server,
            security_settings=security,
            max_request_body_size=size,
            json_response=True,
            stateless=True,
        )
        self._direct = DirectCalls(handlers, server, hosts=_NAMES, limit=size)
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the session managers; their task group lives in one task, from here to `close`."""
        self._serving = asyncio.create_task(self._serve())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({self._serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._serving.done():
            await self._serving  # it failed before it was ready: say why

    async def close(self) -> None:
        """End every session."""
        self._stop.set()
        if self._serving is not None:
            await self._serving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        rest = await self._direct.serve(scope, receive, send)
        if rest is None:
            return
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept").lower()
        streams = scope["method"] != "POST" or any(kind in accept for kind in _EVENTS)
        manager = self._events if streams else self._plain
        await manager.handle_request(scope, rest, send)

    async def _serve(self) -> None:
        async with self._events.run(), self._plain.run():
            self._ready.set()
            await self._stop.wait()
