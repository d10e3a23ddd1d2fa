"""Raw requests on the engine's Unix socket, for the few answers the SDK would wait on without a limit.

A hijacked connection carries frames: one byte stream number (1 stdout, 2 stderr, 3 the engine's own trouble),
three zero bytes, four bytes of big-endian length, payload. Source: Docker Engine API 1.41, "Attach to a
container"; the third is `Systemerr` of moby's `pkg/stdcopy`.
"""

import json
import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

STDOUT, STDERR, ENGINE = 1, 2, 3
SWITCHED = (101, 200)
FRAME_HEADER = struct.Struct(">BxxxI")
_HEAD_LIMIT_BYTES = 64 * 1024
_PIECE_BYTES = 65536


def knock(socket_path: str, timeout_s: float = 5) -> None:
    """See that somebody listens on a Unix socket. Raises OSError when nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(socket_path)


def request_bytes(method: str, target: str, body: object = None, *, upgrade: bool = False) -> bytes:
    """One HTTP request with an optional JSON body.

    A plain request speaks HTTP/1.0, so that a long answer comes as it is, without chunks (RFC 9112, 7.1).

    Args:
        method: `POST`, `HEAD` and so on.
        target: path and query on the engine.
        body: sent as JSON when given.
        upgrade: ask for the raw stream instead of closing after the answer.
    """
    payload = b"" if body is None else json.dumps(body).encode()
    version = "HTTP/1.1" if upgrade else "HTTP/1.0"
    fields = [f"{method} {target} {version}", "Host: engine", f"Content-Length: {len(payload)}"]
    fields += ["Content-Type: application/json"] if payload else []
    fields += ["Connection: Upgrade", "Upgrade: tcp"] if upgrade else []
    return "\r\n".join([*fields, "", ""]).encode("ascii") + payload


def status_of(head: bytes) -> int:
    """The status code of an answer's head. Raises ValueError when it is no HTTP answer."""
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):  # noqa: PLR2004 - version and status code
        raise ValueError(f"the engine answered {head[:60]!r}, expected an HTTP status line")
    return int(words[1])


@contextmanager
def exchange(
    socket_path: str, request: bytes, timeout_s: float
) -> Iterator[tuple[int, socket.socket, bytes]]:
    """Send one request and yield status, the open connection and what was read beyond the head.

    Args:
        socket_path: the engine's Unix socket.
        request: from `request_bytes`.
        timeout_s: longest wait for any single step, in seconds.

    Raises:
        OSError: the engine does not answer (TimeoutError: not in time).
        ValueError: the answer is no HTTP.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(socket_path)
        connection.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received and len(received) < _HEAD_LIMIT_BYTES:
            piece = connection.recv(_PIECE_BYTES)
            if not piece:
                break
            received += piece
        head, _, rest = received.partition(b"\r\n\r\n")
        yield status_of(head), connection, rest


def read_frames(
    connection: socket.socket, first: bytes, timeout_s: float | None
) -> Iterator[tuple[int, bytes]]:
    """Yield (stream number, piece) until the engine closes the stream.

    Args:
        connection: from `exchange`.
        first: what was read beyond the answer's head.
        timeout_s: how long the stream may stay open in all; None is for ever.

    Raises:
        TimeoutError: it was open for longer.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    pending = bytearray(first)
    while True:
        yield from _whole_frames(pending)
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError(f"stream still open after {timeout_s} s")
        connection.settimeout(left)
        piece = connection.recv(_PIECE_BYTES)
        if not piece:
            return
        pending += piece


def written(frames: Iterable[tuple[int, bytes]], *, by_engine: Callable[[str], object]) -> Iterator[bytes]:
    """Yield what the box wrote; what the engine says of its own trouble is told apart."""
    for stream, piece in frames:
        if stream == ENGINE:
            by_engine(piece.decode(errors="replace").strip())
        else:
            yield piece


def _whole_frames(pending: bytearray) -> Iterator[tuple[int, bytes]]:
    while len(pending) >= FRAME_HEADER.size:
        stream, length = FRAME_HEADER.unpack_from(pending)
        end = FRAME_HEADER.size + length
        if len(pending) < end:
            return
        payload = bytes(pending[FRAME_HEADER.size : end])
        del pending[:end]
        yield stream, payload
