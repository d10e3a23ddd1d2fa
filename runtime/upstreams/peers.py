"""One MCP server as we speak with it: requests by number, and what may come back meanwhile.

A peer passes JSON objects through as they are. It is written for one purpose: many calls at once over one
connection with little work per call. The wire is MCP 2025-11-25 (JSON-RPC 2.0), which every server speaks.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from runtime.gate.actions import Action
from runtime.upstreams.errors import RpcError, UpstreamProtocolError

JsonObject = dict[str, Any]

PROTOCOL_VERSION: Final = "2025-11-25"
CLIENT_NAME: Final = "client"
METHOD_NOT_FOUND: Final = -32601
INTERNAL_ERROR: Final = -32603

OnProgress = Callable[[float, float | None, str | None], Awaitable[None]]
OnNotice = Callable[[str, Mapping[str, Any]], Awaitable[None]]
OnRequest = Callable[[str, Mapping[str, Any]], Awaitable[JsonObject]]


async def refuse(method: str, params: Mapping[str, Any]) -> JsonObject:
    """Answer a server's request with the standard error: nothing is offered to it."""
    del params
    raise RpcError(METHOD_NOT_FOUND, "Method not found", method)


async def ignore(method: str, params: Mapping[str, Any]) -> None:
    """Take a notification and do nothing."""
    del method, params


@dataclass(frozen=True)
class Hooks:
    """What a server may say while one call runs.

    Attributes:
        progress: told of progress; None asks the server for none.
        notice: told of other notifications that belong to the call, such as log messages.
        request: answers what the server asks meanwhile, or raises RpcError.
        action: what the call carries out; for what we serve ourselves, and never sent to a server.
    """

    progress: OnProgress | None = None
    notice: OnNotice = ignore
    request: OnRequest = refuse
    action: Action | None = None


NO_HOOKS: Final = Hooks()


class Peer(Protocol):
    """An open session with one server."""

    async def request(
        self, method: str, params: Mapping[str, Any], hooks: Hooks = NO_HOOKS, *, timeout_s: float
    ) -> JsonObject:
        """Ask and return the result.

        Raises:
            RpcError: the server answered an error.
            UpstreamError: any other failure; see its subclasses for what is known of the effect.
        """
        ...

    async def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Tell the server something that has no answer."""
        ...

    async def close(self) -> None:
        """End the session and whatever runs for it."""
        ...


async def nothing_missed() -> None:
    """Listen again and compare nothing."""


@dataclass(frozen=True)
class Strays:
    """What takes the messages that belong to no call: a server's own notifications and requests.

    Attributes:
        notice: takes its notifications.
        request: answers its requests, or raises RpcError.
        capabilities: what we offer to it.
        listening_again: called when it can be heard again after a while in which it could not; raises
            UpstreamError where that while cannot be made good now.
    """

    notice: OnNotice = ignore
    request: OnRequest = refuse
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    listening_again: Callable[[], Awaitable[None]] = nothing_missed


def initialize_params(capabilities: Mapping[str, Any]) -> JsonObject:
    """The handshake's parameters. The name says nothing about us."""
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "capabilities": dict(capabilities),
        "clientInfo": {"name": CLIENT_NAME, "version": "1"},
    }


async def handshake(peer: Peer, capabilities: Mapping[str, Any], *, timeout_s: float) -> JsonObject:
    """Open the session (MCP lifecycle, initialization) and return the server's answer.

    Raises:
        UpstreamError: the server refused or broke the handshake.
    """
    answer = await peer.request("initialize", initialize_params(capabilities), timeout_s=timeout_s)
    await peer.notify("notifications/initialized")
    return answer


def is_stray(method: str) -> bool:
    """Whether a notification never belongs to a call, even if one is running."""
    return method.endswith("/list_changed") or method == "notifications/resources/updated"


def request_message(number: int, method: str, params: Mapping[str, Any], hooks: Hooks) -> JsonObject:
    """Build a request; where progress is wanted, the request's own number is the token."""
    sent = dict(params)
    meta = {key: item for key, item in (sent.get("_meta") or {}).items() if key != "progressToken"}
    if hooks.progress is not None:
        meta["progressToken"] = number
    if meta:
        sent["_meta"] = meta
    else:
        sent.pop("_meta", None)
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": sent}


def outcome_of(message: Mapping[str, Any]) -> JsonObject:
    """Return the result in a response.

    Raises:
        RpcError: the response is an error.
        UpstreamProtocolError: it is neither a result nor an error.
    """
    result, error = message.get("result"), message.get("error")
    if isinstance(result, dict):
        return result
    if isinstance(error, dict) and isinstance(error.get("code"), int):
        raise RpcError(error["code"], str(error.get("message", "")), error.get("data"))
    raise UpstreamProtocolError("upstream sent a response with neither a result object nor an error")


async def tell(hooks: Hooks, method: str, params: Mapping[str, Any]) -> None:
    """Pass a notification on. Progress that is malformed, or that nobody asked for, is dropped."""
    if method != "notifications/progress":
        await hooks.notice(method, params)
        return
    amount, text = _number(params.get("progress")), params.get("message")
    if hooks.progress is None or amount is None:
        return
    await hooks.progress(amount, _number(params.get("total")), text if isinstance(text, str) else None)


async def answer_to(request: OnRequest, message: Mapping[str, Any]) -> JsonObject:
    """Answer a server's request as a message; a failure of ours is told as the standard internal error."""
    method = str(message["method"])
    params = message.get("params")
    answer: JsonObject = {"jsonrpc": "2.0", "id": message["id"]}
    try:
        if method == "ping":
            return {**answer, "result": {}}
        return {**answer, "result": await request(method, params if isinstance(params, dict) else {})}
    except RpcError as error:
        data = {} if error.data is None else {"data": error.data}
        return {**answer, "error": {"code": error.code, "message": error.message, **data}}
    except Exception:  # noqa: BLE001 - whatever went wrong on our side, the server is owed an answer
        return {**answer, "error": {"code": INTERNAL_ERROR, "message": "Internal error"}}


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
