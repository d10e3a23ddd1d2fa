"""The thin client: HTTP over the control plane's Unix socket, with the standard library only.

Who we are is not said: the kernel tells the other side (SO_PEERCRED). What a person decides travels as a
signed statement in the body.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from console.errors import ConsoleError, Exit, ProblemError, ServeAbsentError, UsageError
from console.session import Session

Json = dict[str, Any]
REPLY_SECONDS = 120.0
_PIECE_BYTES = 65_536


class Client:
    """Calls one control plane; every call is a connection of its own."""

    def __init__(self, socket_path: Path, *, timeout: float = REPLY_SECONDS) -> None:
        """Name the socket to call.

        Args:
            socket_path: where `handrail serve` listens.
            timeout: seconds to wait for an answer, or between two lines of how far something is.
        """
        self._path = socket_path
        self._timeout = timeout

    def get(self, *path: str, **query: str | int | bool | None) -> Json:
        """Read one thing.

        Args:
            path: the steps of the address after the version, each quoted here.
            query: what to ask for; None is left out.

        Raises:
            ServeAbsentError: nobody listens on the socket.
            ProblemError: the control plane refused.
        """
        return self._call("GET", _target(path, query), None)

    def post(self, *path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Ask for a change; raises as `get` does."""
        return self._call("POST", _target(path, {}), body or {})

    def stream(self, *path: str, **query: str | int | bool | None) -> Iterator[Json]:
        """Read one JSON object a line until the other side ends, however long that takes; raises as `get`."""
        yield from self._lines("GET", _target(path, query), None, timeout=None)

    def follow(self, *path: str, body: Mapping[str, Any]) -> Iterator[Json]:
        """Ask for something that takes long, and read how far it is, one JSON object a line."""
        yield from self._lines("POST", _target(path, {}), body, timeout=self._timeout)

    def _lines(
        self, method: str, target: str, body: Mapping[str, Any] | None, *, timeout: float | None
    ) -> Iterator[Json]:
        connection, response = self._send(method, target, body, timeout)
        try:
            _refuse_problem(response)
            for line in _lines_of(response):
                if line.strip():
                    yield json.loads(line)
        except (TimeoutError, HTTPException, OSError) as error:
            raise _broken_off(self._path, error) from error
        finally:
            connection.close()

    def _call(self, method: str, target: str, body: Mapping[str, Any] | None) -> Json:
        connection, response = self._send(method, target, body, self._timeout)
        try:
            _refuse_problem(response)
            answer: Json = json.loads(response.read())
        except (TimeoutError, HTTPException, OSError, ValueError) as error:
            raise _broken_off(self._path, error) from error
        finally:
            connection.close()
        return answer

    def _send(
        self, method: str, target: str, body: Mapping[str, Any] | None, timeout: float | None
    ) -> tuple[HTTPConnection, HTTPResponse]:
        connection = UnixConnection(self._path, timeout)
        data = None if body is None else json.dumps(body).encode()
        headers = {} if data is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, target, body=data, headers=headers)
            return connection, connection.getresponse()
        except (TimeoutError, HTTPException, OSError) as error:
            connection.close()
            raise _unreachable(self._path, error) from error
        except BaseException:  # Ctrl-C while the answer is awaited
            connection.close()
            raise


class UnixConnection(HTTPConnection):
    """An HTTP connection whose other end is a Unix socket."""

    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("handrail", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of to a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _lines_of(response: HTTPResponse) -> Iterator[bytes]:
    """Yield the lines of an answer; its own iterator takes an answer that breaks off for a whole one."""
    rest = b""
    while piece := response.read1(_PIECE_BYTES):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


def client_of(session: Session, *, timeout: float = REPLY_SECONDS) -> Client:
    """Return the client for the control plane that the session names."""
    return Client(session.socket_path, timeout=timeout)


def _target(path: tuple[str, ...], query: Mapping[str, str | int | bool | None]) -> str:
    if wrong := next((step for step in path if "/" in step), None):
        raise UsageError("a name", got=wrong, expected="one without a slash")
    steps = "/".join(quote(step, safe="") for step in path)
    asked = {key: _word(value) for key, value in query.items() if value is not None}
    return f"/v1/{steps}" + (f"?{urlencode(asked)}" if asked else "")


def _word(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuse_problem(response: HTTPResponse) -> None:
    if response.status < 400:  # noqa: PLR2004 - the first status that is an error (RFC 9110, section 15.5)
        return
    data = response.read()
    try:
        problem = json.loads(data)
        code = Exit(problem["exit"])
        words = {name: str(problem.get(name) or "") for name in ("got", "expected")}
        what, next_step = str(problem["error"]), str(problem.get("next") or "")
    except (ValueError, KeyError, TypeError) as error:
        raise ConsoleError(f"the control plane answered {response.status} without saying why") from error
    raise ProblemError(what, **words, next_step=next_step, status=response.status, code=code)


def _unreachable(path: Path, error: Exception) -> ConsoleError:
    if isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return ServeAbsentError(f"no control plane answers on {path}", next_step="start one: handrail serve")
    if isinstance(error, PermissionError):
        step = "run this as the user who runs `handrail serve`, or as root"
        return ConsoleError(f"socket {path} is not open to this user", next_step=step)
    return _broken_off(path, error)


def _broken_off(path: Path, error: Exception) -> ConsoleError:
    said = str(error) or type(error).__name__
    return ConsoleError(f"the control plane on {path} broke off: {said}", next_step="handrail doctor")
