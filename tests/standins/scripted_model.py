"""A stand-in for a model: no mind, only a script, told in the wire format of OpenAI's chat completions.

Each turn of the script is either a text to say or the calls to make. Which turn it is, is read from the
messages, so that a repeated request gets the same answer, as the protocol wants it.
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from starlette.types import Receive, Scope, Send

from tests.standins.model_provider import REAL_MODEL, ModelProvider

Turn = str | Sequence[tuple[str, Mapping[str, Any]]]
"""What to say, or the calls to make as pairs of tool and arguments."""


@dataclass
class ScriptedModel(ModelProvider):
    """Follows its script; what it was asked is kept in `asked`."""

    script: Sequence[Turn] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = json.loads(await _whole_body(receive))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append((scope["path"], headers, body))
        turn = self.script[sum(message["role"] == "assistant" for message in body["messages"])]
        if body.get("stream"):
            await self._stream(send, list(_events(turn)))
        else:
            await _answer(send, turn)


@contextmanager
def beside(provider: ModelProvider) -> Iterator[int]:
    """Serve a provider on a loopback port, on an event loop in a thread of its own; gives the port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="provider")
    thread.start()
    serving = provider.serving()
    try:
        yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _whole_body(receive: Receive) -> bytes:
    data, more = b"", True
    while more:
        message = await receive()
        data, more = data + message.get("body", b""), message.get("more_body", False)
    return data


def _calls(turn: Turn) -> list[dict[str, Any]]:
    asked = () if isinstance(turn, str) else turn
    functions = [{"name": tool, "arguments": json.dumps(dict(args))} for tool, args in asked]
    return [{"id": f"call_{n}", "type": "function", "function": one} for n, one in enumerate(functions)]


async def _answer(send: Send, turn: Turn) -> None:
    calls = _calls(turn)
    message: dict[str, Any] = {"role": "assistant", "content": turn if isinstance(turn, str) else None}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    body = _envelope("chat.completion", [choice])
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def _events(turn: Turn) -> Iterator[tuple[str, Any]]:
    """Yield the chunks of a turn; each argument string comes in two pieces, as from a real provider."""
    calls = _calls(turn)
    yield _chunk({"role": "assistant", "content": None if calls else ""})
    for word in turn.split(" ") if isinstance(turn, str) else ():
        yield _chunk({"content": f"{word} "})
    for number, call in enumerate(calls):
        name, text = call["function"]["name"], call["function"]["arguments"]
        head = {"index": number, "id": call["id"], "type": "function"}
        yield _chunk({"tool_calls": [{**head, "function": {"name": name, "arguments": text[:3]}}]})
        yield _chunk({"tool_calls": [{"index": number, "function": {"arguments": text[3:]}}]})
    yield _chunk({}, "tool_calls" if calls else "stop")
    yield "", "[DONE]"


def _chunk(delta: Mapping[str, Any], reason: str | None = None) -> tuple[str, Any]:
    return "", _envelope("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": reason}])


def _envelope(kind: str, choices: list[Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": REAL_MODEL, "choices": choices}
