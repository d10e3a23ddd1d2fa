"""The byte stream of a boxed server that speaks over stdin and stdout.

The engine hands over its HTTP connection and then sends frames (see `sandboxes.hijack`). Nothing is read
ahead of the caller, so a server that writes faster than it is read is slowed down by its own pipe.
"""

import asyncio

from sandboxes.errors import EngineRefusedError
from sandboxes.hijack import FRAME_HEADER, STDOUT, SWITCHED, request_bytes, status_of

STDERR_KEPT_BYTES = 64 * 1024
LINE_LIMIT_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 65536


class Stdio:
    """A duplex stream: `read` and `readline` give the server's stdout, `write` reaches its stdin."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frame = (STDOUT, 0)
        self._pending = bytearray()
        self._stderr = bytearray()

    @property
    def stderr_tail(self) -> bytes:
        """The last 64 KiB the server wrote to stderr, as far as it was read."""
        return bytes(self._stderr)

    async def read(self) -> bytes:
        """Return the next piece of stdout, empty when the server has closed it or the box is gone."""
        if self._pending:
            piece = bytes(self._pending)
            self._pending.clear()
            return piece
        return await self._next_piece()

    async def readline(self, limit: int = LINE_LIMIT_BYTES) -> bytes:
        """Return the next line of stdout with its line feed; what is left at the end, then empty.

        Args:
            limit: longest line in bytes.

        Raises:
            ValueError: the line is longer; the stream is then of no further use.
        """
        scanned = 0
        while (end := self._pending.find(b"\n", scanned)) < 0:
            scanned = len(self._pending)
            if scanned > limit:
                raise ValueError(
                    f"line of more than {limit} bytes from a boxed server, expected at most {limit}"
                )
            if not (piece := await self._next_piece()):
                end = scanned - 1
                break
            self._pending += piece
        line = bytes(self._pending[: end + 1])
        del self._pending[: end + 1]
        return line

    async def write(self, data: bytes) -> None:
        """Send bytes to the server's stdin; waits while its pipe is full."""
        self._writer.write(data)
        await self._writer.drain()

    async def close(self) -> None:
        """Close both directions. The box itself keeps running until it is killed or ends by itself."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return

    async def _next_piece(self) -> bytes:
        while True:
            stream, left = self._frame
            if not left:
                header = await self._header()
                if header is None:
                    return b""
                self._frame = header
                continue
            piece = await self._reader.read(min(left, _PIECE_BYTES))
            self._frame = (stream, left - len(piece) if piece else 0)
            if stream == STDOUT or not piece:
                return piece
            self._stderr += piece
            del self._stderr[:-STDERR_KEPT_BYTES]

    async def _header(self) -> tuple[int, int] | None:
        try:
            stream, length = FRAME_HEADER.unpack(await self._reader.readexactly(FRAME_HEADER.size))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return stream, length


async def open_stdio(socket_path: str, box_id: str, timeout_s: float = 10) -> Stdio:
    """Ask the engine for the raw stream of a box.

    Args:
        socket_path: the engine's Unix socket.
        box_id: the box, created with stdin open; attach before it is started, or its first bytes are lost.
        timeout_s: how long the engine may take to answer, in seconds.

    Raises:
        EngineRefusedError: the engine answered with anything but the switch to the raw stream.
    """
    target = f"/containers/{box_id}/attach?stream=1&stdin=1&stdout=1&stderr=1"
    reader, writer = await asyncio.open_unix_connection(socket_path)
    writer.write(request_bytes("POST", target, upgrade=True))
    try:
        async with asyncio.timeout(timeout_s):
            await writer.drain()
            status = status_of(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, TimeoutError, ValueError) as cause:
        writer.close()
        raise EngineRefusedError(f"box {box_id[:12]}: attach was not answered: {cause!r}") from cause
    if status not in SWITCHED:
        writer.close()
        raise EngineRefusedError(f"box {box_id[:12]}: attach answered {status}, expected 101")
    return Stdio(reader, writer)
