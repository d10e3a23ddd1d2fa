"""A run's gateway together with the upstreams behind it: opened, waited for and closed as one."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import suppress

from runtime.errors import KernelError
from runtime.gateway.server import RunGateway
from runtime.upstreams.manifest import Manifest
from runtime.upstreams.upstreams import Upstreams


class RunDoor:
    """See `runtime.runs.machinery.Door`."""

    def __init__(self, gateway: RunGateway, upstreams: Upstreams) -> None:
        self._gateway = gateway
        self._upstreams = upstreams
        self._starting: asyncio.Task[Manifest] | None = None

    def start(self) -> None:
        """Begin to start the upstreams."""
        self._starting = asyncio.create_task(self._upstreams.start(), name="upstreams")

    async def ready(self) -> None:
        """Wait for the upstreams; raises what kept one from opening."""
        if self._starting is not None:
            await self._starting

    async def open(self, listeners: Mapping[int, socket.socket]) -> None:
        """Take the listeners, and answer nothing yet."""
        await self._gateway.open(listeners)

    def release(self) -> None:
        """Answer from now on."""
        self._gateway.release()

    async def close(self) -> None:
        """End listeners, connections and upstreams."""
        await self._gateway.close()
        if self._starting is not None:
            self._starting.cancel()
            with suppress(asyncio.CancelledError, KernelError):
                await self._starting
        await self._upstreams.close()
