"""HTTP/1.1 for one run: uvicorn's protocol with the limits that a hostile client needs.

A client has 10 s for its headers and 30 s for its body. Targets are in origin form (RFC 9112 section 3.2.1);
absolute form and CONNECT are 400, since uvicorn would route them to our own paths.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import httptools
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from runtime.gateway.app import GONE

HEAD_BYTES: Final = 64 * 1024
HEAD_S: Final = 10.0
BODY_S: Final = 30.0
IDLE_S: Final = 60


class _RefusedTargetError(Exception):
    """The request line asks for something else than a path of ours."""


class RunProtocol(HttpToolsProtocol):
    """One connection of a run."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        on_lost: Callable[["RunProtocol"], None],
        *,
        head_s: float = HEAD_S,
        body_s: float = BODY_S,
    ) -> None:
        """Build the protocol of one connection.

        Args:
            config: the run's own configuration; see `run_config`.
            state: the run's own connections and tasks.
            loop: the running loop.
            on_lost: called once, when the connection is gone.
            head_s: seconds to complete the headers, from the first byte or the connection.
            body_s: seconds to complete the body, from the end of the headers.
        """
        self._gone = loop.create_future()
        super().__init__(config, state, {GONE: self._gone}, loop)
        self._on_lost = on_lost
        self._head_s = head_s
        self._body_s = body_s
        self._in_head = True
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the client is gone."""
        return self._gone.done()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Give the client its time for the first headers."""
        super().connection_made(transport)
        self._expect(self._head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline and make room for another connection."""
        self._expect(None)
        super().connection_lost(exc)
        if not self._gone.done():
            self._gone.set_result(None)
        self._on_lost(self)

    def data_received(self, data: bytes) -> None:
        """Read, and refuse what is not HTTP or too long, without a line in the log for each."""
        self._unset_keepalive_if_required()
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # an offer to switch protocols; declined by answering as usual (RFC 9110 section 7.8)
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse()

    def on_message_begin(self) -> None:
        """Start the clock of the headers, where it does not run since the connection was made."""
        super().on_message_begin()
        self._in_head = True
        if self._deadline is None:
            self._expect(self._head_s)

    def on_headers_complete(self) -> None:
        """Refuse what is not in origin form, then give the client its time for the body."""
        self._in_head = False
        self._head_bytes = 0
        if not self.url.startswith(b"/") or self.parser.get_method() == b"CONNECT":
            raise _RefusedTargetError
        self._expect(self._body_s)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; how long its answer takes is not the client's fault."""
        self._head_bytes = 0
        self._expect(None)
        super().on_message_complete()

    def _refuse(self) -> None:
        self._expect(None)
        if not self.transport.is_closing():
            self.send_400_response("Bad Request")

    def _expect(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if seconds is not None:
            self._deadline = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._deadline = None
        self.transport.abort()


def run_config(app: ASGIApp) -> Config:
    """One run's HTTP settings: no `Server` and no `Date` header, no access log, no WebSocket."""
    config = Config(
        app,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_S,
    )
    config.load()
    return config
