"""A stand-in for a model provider: no model, only the two wire formats, on loopback.

It speaks enough of the OpenAI API (chat completions, responses, embeddings) and of the Anthropic API
(messages, token counting), whole and streaming, for the official clients to run unmodified.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

WORDS = ["Hello", " from", " the", " stand-in", "."]
TEXT = "".join(WORDS)
OPENAI_KEY, ANTHROPIC_KEY = "sk-standin-openai", "sk-standin-anthropic"
REAL_MODEL = "real-model-2026-11"


@dataclass
class ModelProvider:
    """What it was asked, and how it shall fail.

    Attributes:
        asked: path, headers and body of every request.
        failures: statuses to answer first, one for each request; 0 closes the connection.
        pause_s: seconds between two events of a stream.
        cut: after how many events a stream breaks off.
    """

    asked: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    failures: list[int] = field(default_factory=list)
    pause_s: float = 0.0
    cut: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        data, more = b"", True
        while more:
            message = await receive()
            data, more = data + message.get("body", b""), message.get("more_body", False)
        body = json.loads(data or b"{}")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["path"], headers, body))
        if self.failures and (status := self.failures.pop(0)) != 0:
            told = {"error": {"message": f"model {REAL_MODEL} is busy; key {OPENAI_KEY}", "type": "busy"}}
            await _json(send, status, told)
        elif body.get("stream"):
            await self._stream(send, list(_events(scope["path"])))
        else:
            await _json(send, 200, _whole(scope["path"]))

    async def _stream(self, send: Send, events: list[tuple[str, Any]]) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"x-real-model", REAL_MODEL.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, (name, value) in enumerate(events):
            if number == self.cut:
                raise ConnectionError("the stand-in breaks off")
            data = value if isinstance(value, str) else json.dumps(value)
            event = f"event: {name}\n" * bool(name) + f"data: {data}\n\n"
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
            await asyncio.sleep(self.pause_s)
        await send({"type": "http.response.body", "body": b""})
        self.ended.set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve on a loopback port and give its number."""
        config = Config(self, interface="asgi3", lifespan="off", ws="none", log_config=None)
        config.load()
        loop, state = asyncio.get_running_loop(), ServerState()
        server = await loop.create_server(
            lambda: HttpToolsProtocol(config, state, {}, loop), "127.0.0.1", 0, backlog=1024
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in tuple(state.connections):
                connection.transport.abort()
            for task in tuple(state.tasks):
                task.cancel()
            await asyncio.gather(*state.tasks, return_exceptions=True)


async def _json(send: Send, status: int, body: Mapping[str, Any]) -> None:
    headers = [(b"content-type", b"application/json"), (b"openai-model", REAL_MODEL.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


_USAGE = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
_OUTPUT = {
    "type": "message",
    "id": "msg_1",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": TEXT, "annotations": []}],
}


def _response(status: str, output: list[Any]) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": REAL_MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _message(content: list[Any], stop: str | None) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": REAL_MODEL,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 5},
    }


def _chunk(delta: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": REAL_MODEL,
        "system_fingerprint": "fp_real",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    }


def _whole(path: str) -> dict[str, Any]:
    if path.endswith("/count_tokens"):
        return {"input_tokens": 5}
    if path.endswith("/messages"):
        return _message([{"type": "text", "text": TEXT}], "end_turn")
    if path.endswith("/responses"):
        return _response("completed", [_OUTPUT])
    if path.endswith("/embeddings"):
        row = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
        return {"object": "list", "data": [row], "model": REAL_MODEL, "usage": _USAGE}
    choice = {"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": REAL_MODEL,
        "system_fingerprint": "fp_real",
        "choices": [choice],
        "usage": _USAGE,
    }


def _events(path: str) -> Iterator[tuple[str, Any]]:
    if path.endswith("/messages"):
        yield from _anthropic_events()
    elif path.endswith("/responses"):
        yield from _response_events()
    else:
        for word in WORDS:
            yield "", _chunk({"role": "assistant", "content": word}, None)
        yield "", _chunk({}, "stop")
        yield "", "[DONE]"


def _anthropic_events() -> Iterator[tuple[str, Any]]:
    yield "message_start", {"type": "message_start", "message": _message([], None)}
    block = {"type": "text", "text": ""}
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 5}}
    yield "message_stop", {"type": "message_stop"}


def _response_events() -> Iterator[tuple[str, Any]]:
    number = iter(range(100))

    def event(kind: str, **rest: Any) -> tuple[str, Any]:
        return kind, {"type": kind, "sequence_number": next(number), **rest}

    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    yield event("response.created", response=_response("in_progress", []))
    empty = {**_OUTPUT, "content": [], "status": "in_progress"}
    yield event("response.output_item.added", output_index=0, item=empty)
    part = {"type": "output_text", "text": "", "annotations": []}
    yield event("response.content_part.added", part=part, **where)
    for word in WORDS:
        yield event("response.output_text.delta", delta=word, logprobs=[], **where)
    yield event("response.output_text.done", text=TEXT, logprobs=[], **where)
    yield event("response.output_item.done", output_index=0, item=_OUTPUT)
    yield event("response.completed", response=_response("completed", [_OUTPUT]))
