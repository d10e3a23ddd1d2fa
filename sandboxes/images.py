"""What an image holds, asked of the engine without starting anything: its settings, its history, its files.

The files come from a container that is made, never started, and removed again. Source of the requests:
Docker Engine API 1.41, "Inspect an image", "Get the history of an image" and "Export a container".
"""

import io
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

from sandboxes import hijack
from sandboxes.docker_failures import FOUND, NOT_FOUND, failure_from
from sandboxes.errors import ImageMissingError

REQUEST_TIMEOUT_S = 60
ANSWER_LIMIT_BYTES = 16 * 1024 * 1024
GATE_PROGRAMS = (("/bin/sh", "/usr/bin/sh"), ("/usr/bin/env", "/bin/env"))
_EXPECTED = {"GET": (FOUND,), "POST": (201,), "DELETE": (204, NOT_FOUND)}
_PIECE_BYTES = 1024 * 1024


class ImageStore:
    """The images of the engine behind one Unix socket.

    Args:
        socket_path: the engine's socket on this machine.
    """

    def __init__(self, socket_path: Path | str) -> None:
        self._socket_path = str(socket_path)

    def inspect(self, reference: str) -> dict[str, Any]:
        """Return the engine's whole description of an image. Raises ImageMissingError."""
        if not all(part.strip(".") for part in reference.split("/")):
            raise ImageMissingError(f"image {reference!r}: expected NAME, NAME:TAG or sha256:DIGEST")
        found: dict[str, Any] = self._asked("GET", f"/images/{quote(reference)}/json", f"image {reference}")
        return found

    def history(self, reference: str) -> list[str]:
        """Return the steps that made an image, the newest first. Raises ImageMissingError."""
        what = f"history of image {reference}"
        return [
            str(step["CreatedBy"]) for step in self._asked("GET", f"/images/{quote(reference)}/history", what)
        ]

    def has_shell(self, digest: str) -> bool:
        """Whether a box of an image can wait behind the stdin gate."""
        with self._container(digest) as container:
            return all(any(self._has(container, path) for path in paths) for paths in GATE_PROGRAMS)

    @contextmanager
    def files(self, digest: str) -> Iterator[BinaryIO]:
        """Open an image's whole file tree as an uncompressed tar stream.

        Raises:
            ImageMissingError: the engine lacks the image.
            EngineUnavailableError: it does not answer.
        """
        what = f"files of image {digest}"
        with self._container(digest) as container:
            request = hijack.request_bytes("GET", f"/containers/{container}/export")
            with self._exchanged(request, what) as (status, connection, first):
                if status != FOUND:
                    raise failure_from(what, status, "its files cannot be read", about_image=True)
                yield io.BufferedReader(_Stream(connection, first), _PIECE_BYTES)

    @contextmanager
    def _container(self, digest: str) -> Iterator[str]:
        body = {"Image": digest, "Entrypoint": ["sh"], "NetworkDisabled": True}
        made = self._asked("POST", "/containers/create", f"look into image {digest}", body)
        try:
            yield str(made["Id"])
        finally:
            self._asked("DELETE", f"/containers/{made['Id']}?force=1&v=1", f"let go of image {digest}")

    def _has(self, container: str, path: str) -> bool:
        request = hijack.request_bytes("HEAD", f"/containers/{container}/archive?path={path}")
        with self._exchanged(request, f"look for {path}") as (status, _, _):
            return status == FOUND

    def _asked(self, method: str, target: str, what: str, body: object = None) -> Any:
        request = hijack.request_bytes(method, target, body)
        with self._exchanged(request, what) as (status, connection, first):
            answer = first + _Stream(connection, b"").read_at_most(ANSWER_LIMIT_BYTES)
        if status not in _EXPECTED[method]:
            raise failure_from(what, status, _explanation(answer), about_image=True)
        return None if method == "DELETE" else json.loads(answer)

    @contextmanager
    def _exchanged(self, request: bytes, what: str) -> Iterator[tuple[int, socket.socket, bytes]]:
        try:
            with hijack.exchange(self._socket_path, request, REQUEST_TIMEOUT_S) as answer:
                yield answer
        except (OSError, ValueError) as silence:
            raise failure_from(what, None, str(silence)) from silence


class _Stream(io.RawIOBase):
    """The rest of an answer as a file."""

    def __init__(self, connection: socket.socket, first: bytes) -> None:
        self._connection = connection
        self._first = first

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._first:
            return self._connection.recv_into(buffer)
        piece, self._first = self._first[: len(buffer)], self._first[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def read_at_most(self, limit: int) -> bytes:
        """Read to the end. Raises ValueError when that is further than `limit` bytes away."""
        read = io.BufferedReader(self).read(limit + 1)
        if len(read) > limit:
            raise ValueError(f"the engine's answer is longer than {limit} bytes")
        return read


def _explanation(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode(errors="replace")
