"""One HTTP/1.1 connection to a server, and the response that is being read from it.

Responses are read by llhttp (`httptools`), as our own server reads requests. Nothing is read far ahead of who
takes it, and nothing that comes unasked becomes the answer to a later request.
"""

import asyncio
import select
from typing import Final

import httptools
import httpx

HEAD_BYTES: Final = 64 * 1024
AHEAD_BYTES: Final = 256 * 1024
"""How much of a body is read before anybody takes it."""

_SWITCHED: Final = 101
_FINAL: Final = 200  # below it a response only announces another (RFC 9110 section 15.2)

Origin = tuple[bool, str, int]
"""Whether it is by TLS, the host, the port."""


class Connection(asyncio.Protocol):
    """A connection; one request at a time."""

    def __init__(self, origin: Origin, opened: "set[Connection]") -> None:
        """Begin to open it.

        Args:
            origin: where it leads.
            opened: holds it as long as it is open.
        """
        self.origin = origin
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._opened = opened
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser | None = None
        self._body = bytearray()
        self._in_head = False
        self._head_bytes = 0
        self._is_complete = True
        self._keeps = True
        self._error: httpx.TransportError | None = None
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None

    @property
    def is_reusable(self) -> bool:
        """Whether another request can be sent."""
        is_whole = self._is_complete and self._keeps and self._error is None
        return is_whole and not self._transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether nothing has come unasked, its end included, that the loop had no time to read yet."""
        asked = select.poll()
        asked.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not asked.poll(0)

    def send(self, data: bytes) -> None:
        """Send a request; what comes from now on is its response."""
        self._parser = httptools.HttpResponseParser(self)
        self._is_complete = self._keeps = False
        self._in_head, self._head_bytes, self.headers = True, 0, []
        self.take()
        self._transport.write(data)

    async def wait_for_head(self) -> None:
        """Wait until the head is there; of a stream of events nothing else may come for hours.

        Raises:
            httpx.TransportError: the response broke off, or is none.
        """
        while self._in_head:
            await self._more()

    async def wait(self) -> None:
        """Wait until there is more of the body, or it is at its end; raises as `wait_for_head`."""
        while not (self._body or self._is_complete):
            await self._more()

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        await self._waiter

    def take(self) -> bytes:
        """Return what has come of the body; empty at its end."""
        piece = bytes(self._body)
        self._body.clear()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def expire_in(self, seconds: float | None) -> None:
        """Close it after so long a time; not any more, for None."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = None if seconds is None else self._loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        """Close it at once."""
        self.expire_in(None)
        self._transport.abort()

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a stream
        """Take the open connection over; it is what `create_connection` returns, so no one has it before."""
        self._transport = transport
        self._opened.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is being read: a body whose length was not told is at its end, all else broke off."""
        self._opened.discard(self)
        self.expire_in(None)
        if exc is not None:
            self._fail(httpx.ReadError(str(exc)))
        elif self._in_head or self._has_length():
            self._fail(httpx.RemoteProtocolError("server disconnected before its response was complete"))
        self._is_complete = self._is_complete or self._error is None
        self._wake()

    def data_received(self, data: bytes) -> None:
        """Read on; what comes while nothing was asked closes the connection."""
        if self._is_complete or self._parser is None:
            self.abort()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as cause:
            self._break_off(f"not a response of HTTP/1.1: {cause}")
        self._head_bytes += len(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._break_off(f"a head of more than {HEAD_BYTES} bytes")
        self._wake()

    # --- the parser's callbacks

    def on_message_begin(self) -> None:
        """Refuse a second response: nobody asked for it."""
        if self._is_complete:
            self._keeps = False
            self.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; what comes after the body is left out."""
        if self._in_head:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Let the response out, unless it only announces another."""
        if self._is_complete or self._parser is None:
            return
        self.status = self._parser.get_status_code()
        if self.status >= _FINAL:
            self._in_head = False
        elif self.status == _SWITCHED:
            self._break_off("the server switched protocols; expected it to answer")
        self.headers = self.headers if not self._in_head else []

    def on_body(self, body: bytes) -> None:
        """Keep a piece until it is taken."""
        if self._is_complete:
            return
        self._body += body
        if len(self._body) > AHEAD_BYTES and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """End the response, unless it only announces another."""
        if self._parser is not None and not self._in_head and not self._is_complete:
            self._is_complete = True
            self._keeps = self._parser.should_keep_alive()

    def _has_length(self) -> bool:
        names = {name.lower() for name, _ in self.headers}
        return not self._is_complete and not names.isdisjoint({b"content-length", b"transfer-encoding"})

    def _break_off(self, reason: str) -> None:
        self._fail(httpx.RemoteProtocolError(reason))
        self.abort()

    def _fail(self, error: httpx.TransportError) -> None:
        if not self._is_complete:
            self._error = self._error or error

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
