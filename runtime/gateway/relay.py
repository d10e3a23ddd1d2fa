"""What an upstream says to the agent's side while a call runs, and what it may ask of it.

Sampling, elicitation and roots are Actions: each passes the gate before the agent's client is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcp.server.connection import allowed_log_levels
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    CreateMessageRequest,
    ElicitRequest,
    ListRootsRequest,
    LoggingMessageNotification,
)
from pydantic import BaseModel, ConfigDict, ValidationError

from profiles.schema import RequestKind
from runtime.context.results import taint_of
from runtime.errors import LedgerError
from runtime.gate.actions import Action, ActionKind
from runtime.gate.context import RunContext
from runtime.gate.replies import Done, GateDoor, NotPerformedError, Performed
from runtime.gateway.shown import ShownToRun
from runtime.upstreams.errors import RpcError
from runtime.upstreams.peers import Hooks, JsonObject
from runtime.upstreams.replies import texts
from sandboxes.errors import SandboxError

MAX_REFUSED: Final = 100
"""How many questions that are not permitted are recorded; more would only fill the record."""

Context = ServerRequestContext[Any, Any]
NewAction = Callable[[ActionKind, str, Mapping[str, Any]], Action]

_ASKED: Final[Mapping[str, tuple[RequestKind, type[BaseModel]]]] = {
    "sampling/createMessage": (RequestKind.SAMPLING, CreateMessageRequest),
    "elicitation/create": (RequestKind.ELICITATION, ElicitRequest),
    "roots/list": (RequestKind.ROOTS, ListRootsRequest),
}


@dataclass(frozen=True)
class Mute:
    """A request whose client is told nothing but its answer.

    Attributes:
        params: of the request, as they came.
    """

    params: Mapping[str, Any]


class _Any(BaseModel):
    """A client's result, kept as it came; the SDK has checked it against the protocol."""

    model_config = ConfigDict(extra="allow")


class Progress:
    """One request's progress: it only ever rises, as the protocol demands, whoever reports it."""

    def __init__(self, ctx: Context, shown: ShownToRun, action: Action) -> None:
        self._ctx = ctx
        self._shown = shown
        self._action = action
        self._last = float("-inf")

    async def upstream(self, progress: float, total: float | None, message: str | None) -> None:
        """Pass an upstream's progress on."""
        if progress > self._last:
            taint = taint_of(self._shown.run.profile, self._action)
            said = None if message is None else await self._shown.notice("progress", message, taint)
            await self._report(progress, total, said)

    async def waiting(self, seconds: float, text: str) -> None:
        """Say that the call still waits."""
        await self._report(seconds, None, text)

    async def _report(self, progress: float, total: float | None, text: str | None) -> None:
        if progress > self._last:
            self._last = progress
            await self._ctx.session.report_progress(progress, total, text)


class Relay:
    """The way back from upstreams to the agent's client, for one run."""

    def __init__(self, run: RunContext, gate: GateDoor, new_action: NewAction, shown: ShownToRun) -> None:
        """Build the relay.

        Args:
            run: whose profile says what may be asked.
            gate: decides about each question.
            new_action: makes an action of this run.
            shown: scrubs and records what the agent's side is shown.
        """
        self._run = run
        self._gate = gate
        self._new_action = new_action
        self._shown = shown
        self._permitted = frozenset(run.profile.requests)
        self._refused = 0
        self._mute = Hooks(request=self._asked_in_vain)

    def hooks(self, ctx: Context | Mute, progress: Progress | None) -> Hooks:
        """What an upstream may do during the call that `ctx` stands for; a mute one has no `progress`."""
        if progress is None or isinstance(ctx, Mute):
            return self._mute

        async def notice(method: str, params: Mapping[str, Any]) -> None:
            await self._notice(ctx, method, params)

        async def request(method: str, params: Mapping[str, Any]) -> JsonObject:
            return await self.ask(ctx, method, params)

        wants = "progressToken" in ((ctx.params or {}).get("_meta") or {})
        return Hooks(progress.upstream if wants else None, notice, request)

    async def ask(self, ctx: Context | None, method: str, params: Mapping[str, Any]) -> JsonObject:
        """Ask the agent's client what an upstream wants to know.

        Raises:
            RpcError: it is not permitted, or there is no way to ask, or the client answered an error.
        """
        if method not in _ASKED or self._refused >= MAX_REFUSED:
            raise RpcError(METHOD_NOT_FOUND, "Method not found", method)
        kind, model = _ASKED[method]
        self._refused += kind not in self._permitted

        async def perform() -> Performed:
            if kind not in self._permitted:
                raise NotPerformedError(f"{kind.value} is not permitted by the profile")
            if ctx is None or not ctx.session.can_send_request:
                raise NotPerformedError("the agent's client has no open stream to be asked on")
            asked = await self._question(kind, params)
            return await _send(ctx, method, asked, model)

        action = self._new_action(ActionKind.REQUEST, kind.value, params)
        reply = await self._gate.enforce(self._run, action, perform)
        if kind not in self._permitted:
            raise RpcError(METHOD_NOT_FOUND, "Method not found", method)
        if isinstance(reply, Done) and isinstance(reply.payload, Mapping) and not reply.is_error:
            return dict(reply.payload)
        raise RpcError(INVALID_REQUEST, "Request refused")

    async def _asked_in_vain(self, method: str, params: Mapping[str, Any]) -> JsonObject:
        return await self.ask(None, method, params)

    async def _question(self, kind: RequestKind, params: Mapping[str, Any]) -> JsonObject:
        try:
            return await self._shown.question(f"request:{kind}", params)
        except (SandboxError, LedgerError) as cause:
            raise NotPerformedError(f"{kind}: not scrubbed or not recorded, so not asked") from cause

    async def _notice(self, ctx: Context, method: str, params: Mapping[str, Any]) -> None:
        if method != "notifications/message" or RequestKind.LOGGING not in self._permitted:
            return
        if params.get("level") not in allowed_log_levels(
            ctx.protocol_version, (ctx.params or {}).get("_meta")
        ):
            return
        seen = await self._shown.notice(f"request:{RequestKind.LOGGING}", dict(params))
        try:
            told = LoggingMessageNotification.model_validate({"method": method, "params": seen})
        except ValidationError:
            return  # not a log message as the protocol knows it
        await ctx.session.send_notification(told, related_request_id=ctx.request_id)


async def _send(ctx: Context, method: str, params: Mapping[str, Any], model: type[BaseModel]) -> Performed:
    try:
        request: Any = model.model_validate({"method": method, "params": params or None})
        related = ServerMessageMetadata(related_request_id=ctx.request_id)
        answer = await ctx.session.send_request(request, _Any, metadata=related)
    except ValidationError as cause:
        raise NotPerformedError(f"{method}: not a request or an answer of the protocol: {cause}") from cause
    except MCPError as error:
        return Performed(None, error.error.message, is_error=True)
    result = answer.model_dump(by_alias=True, mode="json", exclude_none=True)
    return Performed(result, "\n".join(texts(result)))
