"""`RunGateway`: one run's whole HTTP door, from its listeners to the gate."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from runtime.clock import NewId, new_id
from runtime.errors import KernelError
from runtime.gate.context import RunContext
from runtime.gate.replies import GateDoor
from runtime.gateway.app import RunApp
from runtime.gateway.listener import Listener
from runtime.gateway.mcp_app import McpApp
from runtime.gateway.mcp_server import Handlers, build_server
from runtime.gateway.passage import Passage
from runtime.gateway.protocol import RunProtocol, run_config
from runtime.gateway.relay import Relay
from runtime.gateway.sessions import Sessions
from runtime.upstreams.peers import JsonObject, OnRequest
from runtime.upstreams.upstreams import Upstreams

HTTP_PORT: Final = 8080


class GatewayError(KernelError):
    """A run's gateway was asked for something it has not."""


class RunGateway:
    """Serves one run. Its listeners are its identity; it answers nothing before `release`."""

    def __init__(
        self,
        run: RunContext,
        *,
        gate: GateDoor,
        upstreams: Upstreams,
        models: ASGIApp,
        new_id: NewId = new_id,
    ) -> None:
        """Build the gateway of one run; upstreams are opened and closed by whoever made them.

        Args:
            run: what is known of the run.
            gate: decides about every action and records it.
            upstreams: the run's MCP servers, open.
            models: serves `/v1` and `/anthropic`; see `runtime.gateway.model_app`.
            new_id: names actions.
        """
        self._passage = Passage(run, gate, upstreams, new_id)
        sessions = Sessions(frozenset(run.profile.requests), self._passage.shown)
        upstreams.attach(sessions.notice, _asked_outside(self._passage.relay))
        handlers = Handlers(self._passage, sessions)
        self._mcp = McpApp(
            build_server(handlers, run.profile.requests),
            handlers,
            argument_bytes=run.profile.limits.argument_bytes,
        )
        self._config = run_config(RunApp(self._mcp, models))
        self._state = ServerState()
        self._listeners: list[Listener] = []

    async def open(self, listeners: Mapping[int, socket.socket]) -> None:
        """Take the listeners over, without answering yet: connections wait in their backlogs.

        Args:
            listeners: listening sockets by port, made in the box's network namespace.

        Raises:
            GatewayError: a port has no meaning here.
        """
        if strange := sorted(listeners.keys() - {HTTP_PORT}):
            raise GatewayError(f"listener on port {strange[0]}: expected only {HTTP_PORT}")
        await self._mcp.open()
        self._listeners = [Listener(sock, self._protocol) for sock in listeners.values()]

    def release(self) -> None:
        """Begin to answer; called after the box's proof is stored."""
        for listener in self._listeners:
            listener.open()

    async def close(self) -> None:
        """Stop answering, cut every connection, and wait until each running action has its outcome."""
        for listener in self._listeners:
            listener.close()
        await self._passage.close()
        await self._mcp.close()
        tasks = tuple(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _protocol(self, on_lost: Callable[[RunProtocol], None]) -> RunProtocol:
        return RunProtocol(self._config, self._state, asyncio.get_running_loop(), on_lost)


def _asked_outside(relay: Relay) -> OnRequest:
    async def request(method: str, params: Mapping[str, Any]) -> JsonObject:
        return await relay.ask(None, method, params)

    return request
