"""The Unix socket of the control API: made with the right modes, and served beside everything else."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from console.api.peer import PeerProtocol
from console.errors import ConsoleError

SOCKET_MODE = 0o660
DIRECTORY_MODE = 0o700
_LONGEST = 107  # bytes of a path that a Unix socket can have (unix(7): sun_path)
_LAST_WORDS_SECONDS = 3


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: `console.serve` alone decides when to end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signal handlers as they are."""
        yield


def bind(path: Path) -> socket.socket:
    """Return a socket bound at `path`, open to its owner and group.

    The caller holds the lock of the state directory, so a socket that lies there is a dead serve's, and is
    removed.

    Raises:
        ConsoleError: the path is too long, or something else than a socket is there.
    """
    if len(str(path).encode()) > _LONGEST:
        raise ConsoleError(
            f"socket path {path} is too long", expected=f"at most {_LONGEST} bytes", next_step="--socket"
        )
    if path.exists() and not path.is_socket():
        raise ConsoleError(f"{path} is in the way", expected="a socket or nothing", next_step=f"move {path}")
    path.unlink(missing_ok=True)
    path.parent.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.fchmod(bound.fileno(), SOCKET_MODE)  # before it has a name, so that it never has a wider mode
    bound.bind(str(path))
    path.chmod(SOCKET_MODE)
    bound.listen()  # from now on a client waits for its answer instead of being refused
    return bound


async def serve_until(app: FastAPI, bound: socket.socket, stop: asyncio.Event) -> None:
    """Answer requests on `bound` until `stop` is set; requests under way get a few seconds to end."""
    config = uvicorn.Config(
        app,
        http=PeerProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_LAST_WORDS_SECONDS,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    server.should_exit = True
    await serving
