"""The MCP server that an agent sees: the official SDK, with handlers that pass every request on.

A feature that the profile does not permit has no handler, so it is not offered; asking for it all the same
is recorded by the gate and answered with the standard error.
"""

import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, TypeGuard, TypeVar

from mcp.server.context import CallNext, HandlerResult
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.models import InitializationOptions
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import X_MCP_HEADER_KEY
from mcp_types import (
    INTERNAL_ERROR,
    METHOD_NOT_FOUND,
    CallToolRequestParams,
    CompleteRequestParams,
    GetPromptRequestParams,
    NotificationParams,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    SetLevelRequestParams,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    UnsubscribeRequestParams,
)

from profiles.schema import RequestKind
from runtime.errors import LedgerError
from runtime.gate.actions import ActionKind
from runtime.gate.replies import Done
from runtime.gateway.answers import INTERNAL_TEXT, plain_answer, tool_answer, unknown_tool
from runtime.gateway.passage import Passage
from runtime.gateway.relay import Context, Mute
from runtime.gateway.sessions import Sessions
from sandboxes.constants import SERVER_NAME, SERVER_VERSION
from sandboxes.errors import SandboxError

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_LIST_S: Final = {"ttlMs": 0, "cacheScope": "private"}

_KIND_OF_METHOD: Final[Mapping[str, RequestKind]] = {
    "resources/list": RequestKind.RESOURCES,
    "resources/templates/list": RequestKind.RESOURCES,
    "resources/read": RequestKind.RESOURCES,
    "prompts/list": RequestKind.PROMPTS,
    "prompts/get": RequestKind.PROMPTS,
    "completion/complete": RequestKind.COMPLETION,
    "logging/setLevel": RequestKind.LOGGING,
    "resources/subscribe": RequestKind.SUBSCRIPTIONS,
    "resources/unsubscribe": RequestKind.SUBSCRIPTIONS,
    "subscriptions/listen": RequestKind.SUBSCRIPTIONS,
}

_HANDSHAKES: Final = frozenset({"initialize", "server/discover"})
"""Answered by us, with constants and what the profile permits."""

Handler = Callable[[Context, Any], Awaitable[HandlerResult]]


class RunServer(Server[Any]):
    """The SDK's server, saying that its lists may change."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        experimental_capabilities: dict[str, dict[str, Any]] | None = None,
        extensions: dict[str, dict[str, Any]] | None = None,
    ) -> InitializationOptions:
        """Build the handshake's answer."""
        changes = NotificationOptions(prompts_changed=True, resources_changed=True, tools_changed=True)
        return super().create_initialization_options(
            notification_options or changes, experimental_capabilities, extensions
        )


def build_server(handlers: "Handlers", permitted: Collection[RequestKind]) -> RunServer:
    """Build the server of one run.

    Args:
        handlers: what happens at each request.
        permitted: what the profile permits besides tools.
    """
    server = RunServer(
        SERVER_NAME,
        version=SERVER_VERSION,
        on_list_tools=handlers.list_tools,  # type: ignore[arg-type]  # raw results are passed through
        on_call_tool=handlers.call_tool,  # type: ignore[arg-type]  # raw results are passed through
        get_tool_input_schema=handlers.input_schema,
    )
    server.middleware[:] = [handlers.refuse]
    for method, (kind, params, handler) in handlers.optional().items():
        if kind in permitted:
            server.add_request_handler(method, params, handler)
    server.add_notification_handler("notifications/initialized", NotificationParams, handlers.initialized)
    server.add_notification_handler(
        "notifications/roots/list_changed", NotificationParams, handlers.roots_changed
    )
    return server


class Handlers:
    """What happens at each request."""

    def __init__(self, passage: Passage, sessions: Sessions) -> None:
        """Say what takes requests through.

        Args:
            passage: takes each request through the gate.
            sessions: the open sessions, for what upstreams say outside of any call.
        """
        self._passage = passage
        self._sessions = sessions
        self._profile = passage.run.profile
        self._listen = ListenHandler(sessions.bus, max_subscriptions=8)
        self._listed: list[dict[str, Any]] | None = None
        self._schemas: dict[str, Mapping[str, Any]] = {}

    def optional(self) -> dict[str, tuple[RequestKind, type[Any], Handler]]:
        """The handlers that a profile may permit."""
        lists, kinds = PaginatedRequestParams, _KIND_OF_METHOD
        by_method: dict[str, tuple[type[Any], Handler]] = {
            "resources/list": (lists, self.list_resources),
            "resources/templates/list": (lists, self.list_templates),
            "resources/read": (ReadResourceRequestParams, self.read_resource),
            "prompts/list": (lists, self.list_prompts),
            "prompts/get": (GetPromptRequestParams, self.get_prompt),
            "completion/complete": (CompleteRequestParams, self.complete),
            "logging/setLevel": (SetLevelRequestParams, self.set_level),
            "resources/subscribe": (SubscribeRequestParams, self.subscribe),
            "resources/unsubscribe": (UnsubscribeRequestParams, self.subscribe),
            "subscriptions/listen": (SubscriptionsListenRequestParams, self.listen),
        }
        return {method: (kinds[method], *entry) for method, entry in by_method.items()}

    async def refuse(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Record a request that the profile does not permit, and the handshake; then let it be answered."""
        kind = _KIND_OF_METHOD.get(ctx.method)
        if kind is not None and kind not in self._profile.requests and ctx.request_id is not None:
            asked = {"method": ctx.method, "params": dict(ctx.params or {})}
            await self._passage.take(ctx, ActionKind.REQUEST, kind.value, asked)
            raise MCPError(METHOD_NOT_FOUND, "Method not found", ctx.method)
        result = await call_next(ctx)
        if ctx.method in _HANDSHAKES:
            await self._recorded(self._passage.shown.ours(ctx.method, result))
        return result

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The input schema of a listed tool, if it asks for headers; the SDK wants it for nothing else."""
        tools = self._passage.upstreams.tools()
        if tools is not self._listed:
            schemas = {tool["name"]: tool.get("inputSchema") for tool in tools}
            self._schemas = {name: schema for name, schema in schemas.items() if _asks_for_headers(schema)}
            self._listed = tools
        return self._schemas.get(name)

    async def list_tools(self, ctx: Context, params: PaginatedRequestParams | None) -> HandlerResult:
        """List the profile's tools."""
        del ctx, params
        return await self._list("tools", self._passage.upstreams.tools())

    async def call_tool(self, ctx: Context, params: CallToolRequestParams) -> HandlerResult:
        """Call a tool."""
        return await self.tool(ctx, params.name, params.arguments or {})

    async def tool(self, ctx: Context | Mute, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Call a tool, whichever way the call came."""
        reply = await self._passage.take(ctx, ActionKind.TOOL, name, args)
        if name not in self._profile.tools:
            raise unknown_tool(name)
        return tool_answer(reply)

    async def list_resources(self, ctx: Context, params: PaginatedRequestParams | None) -> HandlerResult:
        """List all upstreams' resources."""
        del ctx, params
        return await self._list("resources", [item for offer in self._offers() for item in offer.resources])

    async def list_templates(self, ctx: Context, params: PaginatedRequestParams | None) -> HandlerResult:
        """List all upstreams' resource templates."""
        del ctx, params
        templates = [item for offer in self._offers() for item in offer.templates]
        return await self._list("resourceTemplates", templates)

    async def list_prompts(self, ctx: Context, params: PaginatedRequestParams | None) -> HandlerResult:
        """List all upstreams' prompts."""
        del ctx, params
        return await self._list("prompts", [item for offer in self._offers() for item in offer.prompts])

    async def read_resource(self, ctx: Context, params: ReadResourceRequestParams) -> HandlerResult:
        """Read a resource."""
        uri = str(params.uri)
        reply = await self._passage.take(ctx, ActionKind.RESOURCE, uri, {"uri": uri})
        answer = plain_answer(reply)
        return {**_LIST_S, **answer}

    async def get_prompt(self, ctx: Context, params: GetPromptRequestParams) -> HandlerResult:
        """Get a prompt."""
        reply = await self._passage.take(ctx, ActionKind.PROMPT, params.name, dict(params.arguments or {}))
        return plain_answer(reply)

    async def complete(self, ctx: Context, params: CompleteRequestParams) -> HandlerResult:
        """Complete an argument of a prompt or a resource template."""
        args = params.model_dump(by_alias=True, mode="json", exclude_none=True, exclude={"meta"})
        reference = args["ref"]
        target = str(reference.get("name") or reference.get("uri"))
        return plain_answer(await self._passage.take(ctx, ActionKind.COMPLETION, target, args))

    async def set_level(self, ctx: Context, params: SetLevelRequestParams) -> HandlerResult:
        """Set the log level of every upstream that has one."""
        args = {"level": params.level}
        plain_answer(await self._passage.take(ctx, ActionKind.REQUEST, RequestKind.LOGGING, args))
        return {}

    async def subscribe(
        self, ctx: Context, params: SubscribeRequestParams | UnsubscribeRequestParams
    ) -> HandlerResult:
        """Subscribe to a resource, or end that."""
        args = {"method": ctx.method, "uri": str(params.uri)}
        plain_answer(await self._passage.take(ctx, ActionKind.REQUEST, RequestKind.SUBSCRIPTIONS, args))
        return {}

    async def listen(self, ctx: Context, params: SubscriptionsListenRequestParams) -> HandlerResult:
        """Open a stream of changes; each resource asked for is subscribed to first."""
        for uri in params.notifications.resource_subscriptions or ():
            args = {"method": "resources/subscribe", "uri": str(uri)}
            reply = await self._passage.take(ctx, ActionKind.REQUEST, RequestKind.SUBSCRIPTIONS, args)
            if not isinstance(reply, Done):
                plain_answer(reply)
        return await self._listen(ctx, params)

    async def initialized(self, ctx: Context, params: NotificationParams) -> None:
        """Remember a session that can be told things outside of any call."""
        del params
        self._sessions.add(ctx.session)

    async def roots_changed(self, ctx: Context, params: NotificationParams) -> None:
        """Tell the upstreams, where they may know of roots at all."""
        del ctx, params
        if RequestKind.ROOTS in self._profile.requests:
            await self._passage.upstreams.tell("notifications/roots/list_changed")

    async def _list(self, member: str, items: list[Any]) -> dict[str, Any]:
        shown = await self._recorded(self._passage.shown.listed(member, items))
        return {member: shown, "resultType": "complete", **_LIST_S}

    async def _recorded(self, showing: Awaitable[T]) -> T:
        try:
            return await showing
        except (SandboxError, LedgerError) as cause:
            _LOG.exception("run %s: something could not be shown", self._passage.run.run)
            raise MCPError(INTERNAL_ERROR, INTERNAL_TEXT) from cause

    def _offers(self) -> list[Any]:
        return list(self._passage.upstreams.offers.values())


def _asks_for_headers(schema: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a schema may ask for `Mcp-Param-*` headers (MCP 2026-07-28, streamable HTTP)."""
    return isinstance(schema, Mapping) and X_MCP_HEADER_KEY in json.dumps(schema)
