"""The short way of a tool call: one POST in, one answer out, nothing in between (MCP 2026-07-28).

The SDK makes every request ready for all that may be said beside its answer. A call whose client asks to be
told nothing else needs none of that. Only what is right in every respect goes this way, by the SDK's own
checks; all else, and every refusal, is the SDK's. A client gets the same bytes on both ways.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_METHOD_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundModernRoute,
    classify_inbound_request,
)
from mcp_types import (
    INTERNAL_ERROR,
    LOG_LEVEL_META_KEY,
    SERVER_INFO_META_KEY,
    CallToolRequestParams,
    ErrorData,
    JSONRPCError,
    JSONRPCRequest,
)
from mcp_types.methods import serialize_server_result, validate_client_request
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

from runtime.gateway.app import send_json, unless_gone
from runtime.gateway.mcp_server import Handlers, RunServer
from runtime.gateway.relay import Mute

PING_S: Final = 15.0
"""After so long an answer becomes a stream of events, so that nobody on the way gives the connection up."""

_METHOD: Final = "tools/call"
_EVENTS: Final = "text/event-stream"
_ACCEPTED: Final = frozenset(
    {"application/json", f"application/json,{_EVENTS}", f"{_EVENTS},application/json"}
)
"""What official clients accept; who accepts anything else is asked by the SDK what it means."""
_BESIDE: Final = frozenset({"progressToken", LOG_LEVEL_META_KEY})
"""Members of `_meta` by which a client asks to be told more than the answer."""
_EVENT_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"connection", b"keep-alive"),
    (b"x-accel-buffering", b"no"),
]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class DirectCall:
    """A call that goes the short way."""

    id: str | int
    version: str
    params: Mapping[str, Any]
    name: str
    args: dict[str, Any]


def headers_of(scope: Scope, hosts: frozenset[str]) -> dict[str, str] | None:
    """Return the headers of a request that may be a direct call; None for any other.

    Args:
        scope: the request.
        hosts: names under which we may be asked, without a port.
    """
    pairs = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    fit = (
        headers.get(MCP_METHOD_HEADER) == _METHOD
        and headers.get(MCP_PROTOCOL_VERSION_HEADER) in MODERN_PROTOCOL_VERSIONS
        and scope["method"] == "POST"
        and headers.get("content-type", "").lower().startswith("application/json")
        and headers.get("host", "").partition(":")[0] in hosts
        and "origin" not in headers
        and headers.get("accept", "").lower().replace(" ", "") in _ACCEPTED
        and len(headers) == len(pairs)
    )
    return headers if fit else None


def direct_call(headers: Mapping[str, str], message: Message, limit: int) -> DirectCall | None:
    """Return the call in a request whose whole body has come; None if it does not go the short way.

    Args:
        headers: of the request; see `headers_of`.
        message: the first part of its body.
        limit: largest body in bytes.
    """
    data = message.get("body", b"")
    if message["type"] != "http.request" or message.get("more_body") or len(data) > limit:
        return None
    try:
        body = json.loads(data)
        request = JSONRPCRequest.model_validate(body)
        route = classify_inbound_request(body, headers=headers)
        if not isinstance(route, InboundModernRoute) or request.params is None:
            return None
        validate_client_request(_METHOD, route.protocol_version, request.params)
        asked = CallToolRequestParams.model_validate(request.params, by_name=False)
    except (ValueError, RecursionError, KeyError):
        return None  # the SDK says what is wrong with it
    if _BESIDE & request.params["_meta"].keys():
        return None
    return DirectCall(request.id, route.protocol_version, request.params, asked.name, asked.arguments or {})


class DirectCalls:
    """Answers one run's direct calls."""

    def __init__(
        self,
        handlers: Handlers,
        server: RunServer,
        *,
        hosts: frozenset[str],
        limit: int,
        ping_s: float = PING_S,
    ) -> None:
        """Build it.

        Args:
            handlers: take a call through the gate.
            server: the SDK's, whose name stands in every answer.
            hosts: names under which we may be asked, without a port.
            limit: largest body in bytes.
            ping_s: after so many seconds, and again after each as many, a stream is kept alive.
        """
        self._handlers = handlers
        self._info = server.server_info_stamp
        self._hosts = hosts
        self._limit = limit
        self._ping_s = ping_s

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        """Answer a direct call; for any other request return what gives its body to whoever answers it."""
        headers = headers_of(scope, self._hosts)
        if headers is None:
            return receive
        message = await receive()
        call = direct_call(headers, message, self._limit)
        if call is None or self._handlers.input_schema(call.name) is not None:
            return _again(message, receive)
        work = (
            self._as_events(call, send) if _EVENTS in headers["accept"].lower() else self._as_json(call, send)
        )
        await unless_gone(work, scope)
        return None

    async def _as_json(self, call: DirectCall, send: Send) -> None:
        await _send_json(send, await self._reply(call))

    async def _as_events(self, call: DirectCall, send: Send) -> None:
        """Answer with JSON if it is soon; else with a stream that is kept alive until the answer is there."""
        loop = asyncio.get_running_loop()
        beats: list[asyncio.Task[None]] = []
        timer = loop.call_later(self._ping_s, lambda: beats.append(loop.create_task(self._beat(send))))
        try:
            reply = await self._reply(call)
        finally:
            timer.cancel()
            for beat in beats:
                beat.cancel()
        if not beats:
            await _send_json(send, reply)
            return
        await asyncio.wait(beats)
        event = f"event: message\r\ndata: {json.dumps(reply, separators=(',', ':'))}\r\n\r\n".encode()
        await send({"type": "http.response.body", "body": event})

    async def _beat(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _EVENT_HEADERS})
        while True:
            await send({"type": "http.response.body", "body": b": ping\r\n\r\n", "more_body": True})
            await asyncio.sleep(self._ping_s)

    async def _reply(self, call: DirectCall) -> dict[str, Any]:
        try:
            answer = await self._handlers.tool(Mute(call.params), call.name, call.args)
            result = self._signed(serialize_server_result(_METHOD, call.version, answer))
        except ValidationError:
            _LOG.exception("a tool's result is not one of the protocol")
            return _error(call, ErrorData(code=INTERNAL_ERROR, message="Handler returned an invalid result"))
        except MCPError as error:
            return _error(call, error.error)
        return {"jsonrpc": "2.0", "id": call.id, "result": result}

    def _signed(self, result: dict[str, Any]) -> dict[str, Any]:
        """Put our name into a result, where none stands (MCP 2026-07-28, basic, `_meta`)."""
        meta = result.get("_meta") or {}
        if meta.get(SERVER_INFO_META_KEY) is None:
            result["_meta"] = {**meta, SERVER_INFO_META_KEY: self._info}
        return result


def _error(call: DirectCall, error: ErrorData) -> dict[str, Any]:
    told = JSONRPCError(jsonrpc="2.0", id=call.id, error=error)
    return told.model_dump(mode="json", by_alias=True, exclude_none=True)


def _again(message: Message, receive: Receive) -> Receive:
    kept = [message]

    async def replay() -> Message:
        return kept.pop() if kept else await receive()

    return replay


async def _send_json(send: Send, reply: Mapping[str, Any]) -> None:
    status = ERROR_CODE_HTTP_STATUS.get(reply["error"]["code"], 200) if "error" in reply else 200
    await send_json(send, status, reply)
