"""A reference MCP server with every tool, resource and prompt that the public conformance suite asks for.

Written with the official Python SDK. `python everything_server.py` speaks over stdin and stdout;
`python everything_server.py --port N` serves streamable HTTP on 127.0.0.1:N (0: any; the port is printed).
"""

# ruff: noqa: ARG001, ARG002, T201
# Handlers of one kind share one signature; the port is told on stdout.

import argparse
import asyncio
import base64
import json
import logging
import socket
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http import EventCallback, EventId, EventMessage, EventStore, StreamId
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    CreateMessageRequest,
    CreateMessageResult,
    ElicitRequest,
    ElicitResult,
    JSONRPCMessage,
    LoggingMessageNotification,
    SetLevelRequestParams,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

warnings.simplefilter("ignore", MCPDeprecationWarning)

Context = ServerRequestContext[Any, Any]
Result = dict[str, Any]
Tool = Callable[[Context, dict[str, Any]], Awaitable[Result]]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00" + bytes(20)).decode()
PAUSE_S = 0.05


def text(value: str) -> Result:
    return {"type": "text", "text": value}


def said(*content: Result) -> Result:
    return {"content": list(content), "resultType": "complete"}


def resource(uri: str, kind: str, value: str) -> Result:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": value}}


IMAGE = {"type": "image", "data": PNG, "mimeType": "image/png"}


async def simple_text(ctx: Context, args: dict[str, Any]) -> Result:
    return said(text("This is a simple text response for testing."))


async def image(ctx: Context, args: dict[str, Any]) -> Result:
    return said(IMAGE)


async def audio(ctx: Context, args: dict[str, Any]) -> Result:
    return said({"type": "audio", "data": WAV, "mimeType": "audio/wav"})


async def embedded(ctx: Context, args: dict[str, Any]) -> Result:
    return said(resource("test://embedded-resource", "text/plain", "This is an embedded resource content."))


async def mixed(ctx: Context, args: dict[str, Any]) -> Result:
    inner = json.dumps({"test": "data", "value": 123})
    return said(
        text("Multiple content types test:"),
        IMAGE,
        resource("test://mixed-content-resource", "application/json", inner),
    )


async def with_logging(ctx: Context, args: dict[str, Any]) -> Result:
    for step in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        note = {"method": "notifications/message", "params": {"level": "info", "data": step}}
        await ctx.session.send_notification(
            LoggingMessageNotification.model_validate(note), related_request_id=ctx.request_id
        )
        await asyncio.sleep(PAUSE_S)
    return said(text("Tool with logging executed"))


async def with_progress(ctx: Context, args: dict[str, Any]) -> Result:
    for amount in (0, 50, 100):
        await ctx.session.report_progress(amount, 100, f"step {amount}")
        await asyncio.sleep(PAUSE_S)
    return said(text("Tool with progress executed"))


async def error(ctx: Context, args: dict[str, Any]) -> Result:
    return {**said(text("This tool intentionally returns an error for testing")), "isError": True}


async def sampling(ctx: Context, args: dict[str, Any]) -> Result:
    message = {"role": "user", "content": text(str(args["prompt"]))}
    asked = {"method": "sampling/createMessage", "params": {"messages": [message], "maxTokens": 100}}
    answer = await ctx.session.send_request(
        CreateMessageRequest.model_validate(asked), CreateMessageResult, metadata=related(ctx)
    )
    content = answer.model_dump(by_alias=True, mode="json")["content"]
    return said(text(f"LLM response: {content.get('text', '')}"))


async def elicit(ctx: Context, message: str, properties: Result, required: list[str]) -> Result:
    schema = {"type": "object", "properties": properties, "required": required}
    asked = {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}
    answer = await ctx.session.send_request(
        ElicitRequest.model_validate(asked), ElicitResult, metadata=related(ctx)
    )
    told = f"action={answer.action}, content={json.dumps(answer.content or {})}"
    return said(text(f"Elicitation completed: {told}"))


async def elicitation(ctx: Context, args: dict[str, Any]) -> Result:
    properties = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return await elicit(ctx, str(args["message"]), properties, ["username", "email"])


async def elicitation_defaults(ctx: Context, args: dict[str, Any]) -> Result:
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return await elicit(ctx, "Please review the defaults", properties, [])


def titled(*pairs: str) -> list[Result]:
    return [{"const": f"value{i}", "title": title} for i, title in enumerate(pairs, 1)]


async def elicitation_enums(ctx: Context, args: dict[str, Any]) -> Result:
    options = ["option1", "option2", "option3"]
    properties = {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled("First Option", "Second Option", "Third Option")},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {
            "type": "array",
            "items": {"anyOf": titled("First Choice", "Second Choice", "Third Choice")},
        },
    }
    return await elicit(ctx, "Please choose", properties, [])


async def schema_2020(ctx: Context, args: dict[str, Any]) -> Result:
    return said(text("JSON Schema 2020-12 tool called"))


async def reconnection(ctx: Context, args: dict[str, Any]) -> Result:
    if ctx.close_sse_stream is not None:
        await asyncio.sleep(0.1)
        await ctx.close_sse_stream()
        await asyncio.sleep(0.1)
    return said(text("Reconnection test completed"))


async def add_tool(ctx: Context, args: dict[str, Any]) -> Result:
    """Change one tool's description, then say that the list changed; no scenario of the suite does."""
    CHANGED.add("test_simple_text")
    await ctx.session.send_tool_list_changed()
    return said(text("changed"))


def related(ctx: Context) -> ServerMessageMetadata:
    return ServerMessageMetadata(related_request_id=ctx.request_id)


EMPTY = {"type": "object", "properties": {}}
SCHEMA_2020 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
    "additionalProperties": False,
}


def one_text(name: str) -> Result:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


CHANGED: set[str] = set()
TOOLS: dict[str, tuple[Tool, Result]] = {
    "test_simple_text": (simple_text, EMPTY),
    "test_image_content": (image, EMPTY),
    "test_audio_content": (audio, EMPTY),
    "test_embedded_resource": (embedded, EMPTY),
    "test_multiple_content_types": (mixed, EMPTY),
    "test_tool_with_logging": (with_logging, EMPTY),
    "test_tool_with_progress": (with_progress, EMPTY),
    "test_error_handling": (error, EMPTY),
    "test_sampling": (sampling, one_text("prompt")),
    "test_elicitation": (elicitation, one_text("message")),
    "test_elicitation_sep1034_defaults": (elicitation_defaults, EMPTY),
    "test_elicitation_sep1330_enums": (elicitation_enums, EMPTY),
    "json_schema_2020_12_tool": (schema_2020, SCHEMA_2020),
    "test_reconnection": (reconnection, EMPTY),
    "change_a_tool": (add_tool, EMPTY),
}

RESOURCES = {
    "test://static-text": ("text/plain", "text", "This is the content of the static text resource."),
    "test://static-binary": ("image/png", "blob", PNG),
    "test://watched-resource": ("text/plain", "text", "Watched resource content"),
}
PROMPTS: dict[str, list[str]] = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
}
LISTED = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}


async def list_tools(ctx: Context, params: Any) -> Any:
    tools = [
        {"name": name, "description": f"Tests {name}{' again' * (name in CHANGED)}", "inputSchema": schema}
        for name, (_, schema) in TOOLS.items()
    ]
    return {"tools": tools, **LISTED}


async def call_tool(ctx: Context, params: Any) -> Any:
    if params.name not in TOOLS:
        raise MCPError(-32602, f"Unknown tool: {params.name}")
    return await TOOLS[params.name][0](ctx, params.arguments or {})


async def list_resources(ctx: Context, params: Any) -> Any:
    items = [
        {"uri": uri, "name": uri.removeprefix("test://"), "description": "A test resource", "mimeType": kind}
        for uri, (kind, _, _) in RESOURCES.items()
    ]
    return {"resources": items, **LISTED}


async def list_templates(ctx: Context, params: Any) -> Any:
    item = {"uriTemplate": "test://template/{id}/data", "name": "template", "mimeType": "application/json"}
    return {"resourceTemplates": [item], **LISTED}


async def read_resource(ctx: Context, params: Any) -> Any:
    uri = str(params.uri)
    if uri in RESOURCES:
        kind, member, value = RESOURCES[uri]
        return {"contents": [{"uri": uri, "mimeType": kind, member: value}], **LISTED}
    if uri.startswith("test://template/"):
        number = uri.split("/")[3]
        value = json.dumps({"id": number, "templateTest": True, "data": f"Data for ID: {number}"})
        return {"contents": [{"uri": uri, "mimeType": "application/json", "text": value}], **LISTED}
    raise MCPError(-32002, "Resource not found", {"uri": uri})


async def list_prompts(ctx: Context, params: Any) -> Any:
    items = [
        {
            "name": name,
            "description": f"Tests {name}",
            "arguments": [{"name": arg, "description": "A test argument", "required": True} for arg in args],
        }
        for name, args in PROMPTS.items()
    ]
    return {"prompts": items, **LISTED}


async def get_prompt(ctx: Context, params: Any) -> Any:
    args = params.arguments or {}
    contents = {
        "test_simple_prompt": [text("This is a simple prompt for testing.")],
        "test_prompt_with_arguments": [
            text(f"Prompt with arguments: arg1='{args.get('arg1')}', arg2='{args.get('arg2')}'")
        ],
        "test_prompt_with_embedded_resource": [
            resource(str(args.get("resourceUri")), "text/plain", "Embedded resource content for testing."),
            text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image": [IMAGE, text("Please analyze the image above.")],
    }
    if params.name not in contents:
        raise MCPError(-32602, f"Unknown prompt: {params.name}")
    messages = [{"role": "user", "content": content} for content in contents[params.name]]
    return {"messages": messages, "resultType": "complete"}


async def complete(ctx: Context, params: Any) -> Any:
    values = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
    found = {"values": values, "total": len(values), "hasMore": False}
    return {"completion": found, "resultType": "complete"}


async def accept(ctx: Context, params: Any) -> Any:
    return {}


async def subscribe(ctx: Context, params: SubscribeRequestParams) -> Any:
    await ctx.session.send_resource_updated(str(params.uri))
    return {}


class Events(EventStore):
    """All events of one process, for clients that come back after a closed stream."""

    def __init__(self) -> None:
        self.events: list[tuple[StreamId, JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: StreamId, message: JSONRPCMessage | None) -> EventId:
        self.events.append((stream_id, message))
        return str(len(self.events))

    async def replay_events_after(
        self, last_event_id: EventId, send_callback: EventCallback
    ) -> StreamId | None:
        start = int(last_event_id)
        stream = self.events[start - 1][0]
        for number, (stream_id, message) in enumerate(self.events[start:], start + 1):
            if stream_id == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


class Everything(Server[Any]):
    def create_initialization_options(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_initialization_options(NotificationOptions(tools_changed=True))


def build() -> Everything:
    server = Everything(
        "everything",
        version="1.0.0",
        instructions="A server for tests.",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
    )
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    server.add_request_handler("resources/subscribe", SubscribeRequestParams, subscribe)
    server.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)
    return server


async def serve_http(port: int) -> None:
    server = build()
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=["127.0.0.1:*", "localhost:*"],
        allowed_origins=["http://127.0.0.1:*", "http://localhost:*"],
    )
    manager = StreamableHTTPSessionManager(
        server, event_store=Events(), security_settings=security, retry_interval=100
    )
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio sets it on its own sockets only
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(manager.handle_request, interface="asgi3", lifespan="off", log_config=None)
    async with manager.run():
        await uvicorn.Server(config).serve([listener])


async def serve_stdio() -> None:
    server = build()
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    port = parser.parse_args().port
    asyncio.run(serve_stdio() if port is None else serve_http(port))
