"""HTTP/1.1 connections to servers, kept and used again: what is below `httpx` where a call must be quick.

`httpx` stays the client and its errors stay the errors; this takes the place of `httpcore` and `h11`, which
cost ten times as much. It does what our clients need: bodies known as a whole, no proxy, no HTTP/2.
"""

import asyncio
import re
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from functools import cached_property
from typing import Final, TypeVar

import httpx

from runtime.upstreams.http_connection import Connection, Origin

T = TypeVar("T")
MAX_CONNECTIONS: Final = 64

_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TARGET: Final = re.compile(rb"[\x21-\x7e]+")
_VALUE: Final = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


class PooledTransport(httpx.AsyncBaseTransport):
    """Sends each request over a connection that no other uses until its response is read."""

    def __init__(self, *, idle_s: float, most: int = MAX_CONNECTIONS) -> None:
        """Begin without connections.

        Args:
            idle_s: how long a connection is kept that nobody uses, in seconds.
            most: connections at once; further requests wait.
        """
        self._idle_s = idle_s
        self._room = asyncio.Semaphore(most)
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response as soon as the head is there; the body is read afterwards.

        Raises:
            httpx.TransportError: which of its kinds says how far it came.
        """
        timeouts = request.extensions.get("timeout", {})
        data = head_of(request) + await request.aread()
        await _within(timeouts.get("pool"), self._room.acquire(), httpx.PoolTimeout)
        try:
            connection = await self._connected(request.url, timeouts.get("connect"))
        except BaseException:
            self._room.release()
            raise
        body = _Body(self, connection, timeouts.get("read"))
        try:
            connection.send(data)
            await body.wait_for_head()
        except BaseException:
            await body.aclose()
            raise
        return httpx.Response(connection.status, headers=connection.headers, stream=body)

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in tuple(self._open):
            connection.abort()

    def give_back(self, connection: Connection) -> None:
        """Take a connection back: keep it for a while if it can be used again, else close it."""
        self._room.release()
        if connection.is_reusable:
            self._idle[connection.origin].append(connection)
            connection.expire_in(self._idle_s)
        else:
            connection.abort()

    async def _connected(self, url: httpx.URL, timeout_s: float | None) -> Connection:
        secure = url.scheme == "https"
        origin = (secure, url.raw_host.decode("ascii"), url.port or (443 if secure else 80))
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            connection.expire_in(None)
            if connection.is_reusable and connection.is_idle:
                return connection
            connection.abort()
        try:
            _, made = await _within(timeout_s, self._connect(origin), httpx.ConnectTimeout)
        except (OSError, ssl.CertificateError) as cause:
            raise httpx.ConnectError(f"{origin[1]}:{origin[2]}: {cause}") from cause
        return made

    async def _connect(self, origin: Origin) -> tuple[asyncio.Transport, Connection]:
        secure, host, port = origin
        loop = asyncio.get_running_loop()
        tls = self._tls if secure else None
        return await loop.create_connection(lambda: Connection(origin, self._open), host, port, ssl=tls)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        context.set_alpn_protocols(["http/1.1"])
        return context


class _Body(httpx.AsyncByteStream):
    """The body of a response, and with it the use of a connection."""

    def __init__(self, pool: PooledTransport, connection: Connection, read_s: float | None) -> None:
        self._pool = pool
        self._connection: Connection | None = connection
        self._read_s = read_s

    async def wait_for_head(self) -> None:
        """Wait until the response has begun."""
        if self._connection is not None:
            await _within(self._read_s, self._connection.wait_for_head(), httpx.ReadTimeout)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection is not None:
            await _within(self._read_s, self._connection.wait(), httpx.ReadTimeout)
            piece = self._connection.take()
            if not piece:
                return
            yield piece

    async def aclose(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._pool.give_back(connection)


def head_of(request: httpx.Request) -> bytes:
    """Return the head of a request as it is sent (RFC 9112 sections 3 and 5).

    Raises:
        httpx.LocalProtocolError: a part of it would be read as another (request splitting).
    """
    method, target = request.method.encode("ascii"), request.url.raw_path
    if not (_TOKEN.fullmatch(method) and _TARGET.fullmatch(target)):
        raise httpx.LocalProtocolError("the request line holds what no request line may hold")
    lines = [b"%s %s HTTP/1.1" % (method, target)]
    for name, value in request.headers.raw:
        if not (_TOKEN.fullmatch(name) and _VALUE.fullmatch(value)):
            raise httpx.LocalProtocolError(f"header {name!r:.80} holds what no header may hold")
        if name.lower() == b"transfer-encoding":
            raise httpx.LocalProtocolError("a body of unknown length; expected one that is known as a whole")
        lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def _within(seconds: float | None, work: Awaitable[T], late: type[httpx.TimeoutException]) -> T:
    if seconds is None:
        return await work
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as cause:
        raise late(f"not within {seconds} s") from cause
