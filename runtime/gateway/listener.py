"""Takes a run's connections, at most so many at once; the rest wait in the kernel and cost us nothing.

Before it is opened a listener answers nothing: connections wait in its backlog. While the run has as many
connections as it may, none is accepted, so a flood fills that run's own backlog and no one else notices.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from runtime.gateway.protocol import RunProtocol

MAX_CONNECTIONS: Final = 64
ACCEPTS_PER_TURN: Final = 8
_PAUSE_S: Final = 0.5


class Listener:
    """One listening socket of a run."""

    def __init__(
        self,
        sock: socket.socket,
        make: Callable[[Callable[[RunProtocol], None]], RunProtocol],
        *,
        most: int = MAX_CONNECTIONS,
    ) -> None:
        """Take over a socket that listens already; the network namespace it was made in stays its own.

        Args:
            sock: the socket; closed by `close`.
            make: builds the protocol of one connection, given what to call when it is gone.
            most: connections at once.
        """
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        self._sock = sock
        self._make = make
        self._most = most
        self._open: set[RunProtocol] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._accepting = False
        self._closed = False

    def open(self) -> None:
        """Begin to accept."""
        if not self._accepting and not self._closed:
            self._accepting = True
            self._loop.add_reader(self._sock.fileno(), self._accept)

    def close(self) -> None:
        """Stop accepting, close the socket and cut every connection."""
        self._pause()
        self._closed = True
        self._sock.close()
        for task in tuple(self._starting):
            task.cancel()
        for protocol in tuple(self._open):
            protocol.transport.abort()

    def _pause(self) -> None:
        if self._accepting:
            self._accepting = False
            self._loop.remove_reader(self._sock.fileno())

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            if len(self._open) + len(self._starting) >= self._most:
                self._pause()
                return
            try:
                connection, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._pause()  # out of files or memory: leave the rest waiting and look again soon
                self._loop.call_later(_PAUSE_S, self.open)
                return
            self._start(connection)

    def _start(self, connection: socket.socket) -> None:
        task = self._loop.create_task(self._serve(connection))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        protocol = self._make(self._lost)
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, connection)
        except OSError:
            connection.close()  # the client left between two turns
        else:
            if not protocol.is_lost:
                self._open.add(protocol)

    def _lost(self, protocol: RunProtocol) -> None:
        self._open.discard(protocol)
        self.open()
