"""A stdio server as a plain process of this host, for `host: true` where the policy allows it.

Such a server runs beside the keys: that is why two persons must have signed for it. It gets only the
environment its profile declares, nothing of ours.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

LINE_LIMIT: Final = 16 * 1024 * 1024
_END_S: Final = 2


class ProcessLines:
    """The streams of a process; the same shape as `sandboxes.stdio.Stdio`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def readline(self, limit: int = LINE_LIMIT) -> bytes:
        """Return the next line of stdout; ValueError when it is longer than the limit set at start."""
        del limit  # the stream's own limit, LINE_LIMIT, holds
        return await self._process.stdout.readline() if self._process.stdout else b""

    async def write(self, data: bytes) -> None:
        """Write to stdin; waits while the pipe is full."""
        if self._process.stdin is None:
            raise BrokenPipeError("the process has no stdin")
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def close(self) -> None:
        """Close stdin, then end the process if it does not end by itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def start_process(command: Sequence[str], environment: Mapping[str, str]) -> ProcessLines:
    """Start a server with exactly this environment.

    Raises:
        OSError: the program cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env=dict(environment),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LINE_LIMIT,
    )
    return ProcessLines(process)
