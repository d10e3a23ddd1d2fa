"""Raw bytes between a listener in an upstream's box and the one host and port it was named for."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Final

from profiles.schema import TcpTarget

_PIECE: Final = 65536
_CONNECT_S: Final = 10
MAX_CONNECTIONS: Final = 64


class TcpForwarder:
    """Carries what connects to its listeners to their targets, and nothing anywhere else."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._running: set[asyncio.Task[None]] = set()

    async def open(self, listeners: Mapping[int, socket.socket], targets: Mapping[str, TcpTarget]) -> None:
        """Serve each named target on the listener of its port.

        Args:
            listeners: listening sockets by port, one for each target.
            targets: where each port leads.
        """
        for target in targets.values():
            host, _, port = target.to.rpartition(":")
            await self._serve(listeners[target.port], host.strip("[]"), int(port))

    async def close(self) -> None:
        """Stop listening and cut what is connected."""
        for server in self._servers:
            server.close()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(self, listener: socket.socket, host: str, port: int) -> None:
        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is None or len(self._running) >= MAX_CONNECTIONS:
                writer.close()
                return
            self._running.add(task)
            try:
                await _carry(reader, writer, host, port)
            finally:
                self._running.discard(task)
                writer.close()

        self._servers.append(await asyncio.start_server(carry, sock=listener))


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
    try:
        async with asyncio.timeout(_CONNECT_S):
            far_reader, far_writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return  # the box sees its connection closed, as with any dead service
    try:
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
    finally:
        far_writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(_PIECE):
            sink.write(piece)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
    except ConnectionError:
        sink.close()
