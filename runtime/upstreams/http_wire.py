"""Pieces of the HTTP wire to a server: bodies with a bound, messages, refusals, the connection pool."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final

import httpx

from runtime.upstreams.errors import ReplyTooLargeError, RpcError, UpstreamProtocolError
from runtime.upstreams.http_pool import PooledTransport
from runtime.upstreams.peers import PROTOCOL_VERSION, JsonObject, outcome_of

DRAIN_S: Final = 0.2


def http_client() -> httpx.AsyncClient:
    """Make a connection pool that follows no redirects and takes nothing from the environment."""
    timeout, transport = httpx.Timeout(None, connect=10, pool=10), PooledTransport(idle_s=30)
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, transport=transport, timeout=timeout)


async def body_of(response: httpx.Response, limit: int) -> bytes:
    """Read a body of at most `limit` bytes. Raises ReplyTooLargeError for a larger one."""
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > limit:
            raise ReplyTooLargeError(f"reply of more than {limit} bytes")
    return bytes(data)


async def refusal_of(response: httpx.Response, limit: int) -> Exception:
    """The error that an HTTP status stands for: the server's own, where the body holds one."""
    if response.headers.get("content-type", "").startswith("application/json"):
        message = message_of((await body_of(response, limit)).decode("utf-8", "replace"))
        if message is not None and isinstance(message.get("error"), dict):
            try:
                outcome_of(message)
            except (RpcError, UpstreamProtocolError) as error:
                return error
    status = response.status_code
    return UpstreamProtocolError(f"upstream answered HTTP status {status}, expected 200 or 202")


async def drain(pieces: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
    """Read a stream to its end, so that its connection can be kept; give up soon, and close it."""
    async with stack:
        try:
            async with asyncio.timeout(DRAIN_S):
                async for _ in pieces:
                    continue
        except (TimeoutError, httpx.HTTPError):
            return  # the connection is closed instead of kept


def message_of(text: str) -> JsonObject | None:
    """The JSON-RPC message in a text, if it is one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value.get("jsonrpc") == "2.0" else None


def object_of(body: bytes, status: int) -> JsonObject:
    """The JSON-RPC message that a body must be. Raises UpstreamProtocolError."""
    message = message_of(body.decode("utf-8", "replace"))
    if message is None:
        raise UpstreamProtocolError(f"upstream answered status {status} without a JSON-RPC message")
    return message


def agreed_version(answer: JsonObject) -> str:
    """The protocol version in a handshake's answer."""
    result = answer.get("result")
    version = result.get("protocolVersion") if isinstance(result, dict) else None
    return version if isinstance(version, str) else PROTOCOL_VERSION
