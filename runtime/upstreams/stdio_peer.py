"""A server that speaks over stdin and stdout, one JSON message a line (MCP 2025-11-25, stdio transport)."""

import asyncio
import json
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from runtime.upstreams.errors import (
    ReplyTooLargeError,
    UpstreamGoneError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from runtime.upstreams.peers import (
    NO_HOOKS,
    Hooks,
    JsonObject,
    OnRequest,
    Strays,
    answer_to,
    is_stray,
    outcome_of,
    request_message,
    tell,
)

MAX_STRAY_LINES: Final = 1000
MAX_PENDING: Final = 256


class Lines(Protocol):
    """The byte stream of a server; `sandboxes.stdio.Stdio` is one."""

    async def readline(self, limit: int = ...) -> bytes:
        """Return the next line of stdout, empty at the end; ValueError when it is too long."""
        ...

    async def write(self, data: bytes) -> None:
        """Write to stdin."""
        ...

    async def close(self) -> None:
        """Close both directions and end the server."""
        ...


@dataclass
class _Call:
    """A request that waits for its answer, and what was said meanwhile and is still being passed on."""

    hooks: Hooks
    answer: asyncio.Future[JsonObject]
    said: set[asyncio.Task[None]] = field(default_factory=set)


class StdioPeer:
    """Requests by number over one pair of streams."""

    def __init__(self, lines: Lines, strays: Strays, *, reply_bytes: int) -> None:
        """Build a peer over open streams; call `begin` before the first request.

        Args:
            lines: the server's streams.
            strays: takes what belongs to no call.
            reply_bytes: largest reply that is passed on.
        """
        self._lines = lines
        self._strays = strays
        self._reply_bytes = reply_bytes
        self._calls: dict[int, _Call] = {}
        self._number = 0
        self._over: UpstreamGoneError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stray_lines = 0

    def begin(self) -> None:
        """Start to read what the server says."""
        self._spawn(self._read())

    async def request(
        self, method: str, params: Mapping[str, Any], hooks: Hooks = NO_HOOKS, *, timeout_s: float
    ) -> JsonObject:
        """See `Peer.request`."""
        if self._over is not None:
            raise UpstreamUnavailableError(f"upstream has ended: {self._over}") from self._over
        self._number += 1
        number = self._number
        call = self._calls[number] = _Call(hooks, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(request_message(number, method, params, hooks))
                answer = await call.answer
                if call.said:
                    await asyncio.wait(call.said)
            return outcome_of(answer)
        except TimeoutError as cause:
            self._give_up(number, method)
            raise UpstreamTimeoutError(f"upstream did not answer {method} in {timeout_s} s") from cause
        except asyncio.CancelledError:
            self._give_up(number, method)
            raise
        finally:
            self._calls.pop(number, None)

    async def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """See `Peer.notify`."""
        message: JsonObject = {"jsonrpc": "2.0", "method": method}
        await self._send(message if params is None else {**message, "params": dict(params)})

    async def close(self) -> None:
        """See `Peer.close`."""
        self._end(UpstreamGoneError("the session was closed"))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._lines.close()

    async def _send(self, message: JsonObject) -> None:
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            await self._lines.write(data)
        except (ConnectionError, RuntimeError) as cause:
            gone = UpstreamGoneError(f"upstream does not take input: {cause}")
            self._end(gone)
            raise gone from cause

    def _give_up(self, number: int, method: str) -> None:
        if method != "initialize" and self._over is None:
            self._spawn(self._tell_cancelled(number))

    async def _tell_cancelled(self, number: int) -> None:
        try:
            await self.notify("notifications/cancelled", {"requestId": number})
        except UpstreamGoneError:
            return  # it has ended, so nothing is left to cancel

    async def _read(self) -> None:
        try:
            while line := await self._lines.readline():
                self._take(line)
            self._end(UpstreamGoneError("upstream closed its output"))
        except (ValueError, ConnectionError) as cause:
            self._end(UpstreamGoneError(f"upstream's output cannot be read: {cause}"))

    def _take(self, line: bytes) -> None:
        message = _parse(line)
        if message is None:
            self._stray_lines += 1
            if self._stray_lines > MAX_STRAY_LINES:
                raise ValueError(f"more than {MAX_STRAY_LINES} lines that are no JSON-RPC message")
        elif "method" not in message:
            self._settle(message, len(line))
        elif len(self._tasks) < MAX_PENDING:
            self._hear(message)

    def _settle(self, message: JsonObject, size: int) -> None:
        number = message.get("id")
        call = self._calls.get(number) if isinstance(number, int) else None
        if call is None or call.answer.done():
            return
        if size > self._reply_bytes:
            reason = f"reply of {size} bytes, expected at most {self._reply_bytes}"
            call.answer.set_exception(ReplyTooLargeError(reason))
        else:
            call.answer.set_result(message)

    def _hear(self, message: JsonObject) -> None:
        given = message.get("params")
        params = given if isinstance(given, dict) else {}
        call = self._call_of(message, params)
        if "id" in message:
            self._spawn(self._answer(call.hooks.request if call else self._strays.request, message))
            return
        hooks = call.hooks if call else Hooks(notice=self._strays.notice)
        task = self._spawn(tell(hooks, str(message["method"]), params))
        if call is not None:
            call.said.add(task)
            task.add_done_callback(call.said.discard)

    def _call_of(self, message: JsonObject, params: JsonObject) -> _Call | None:
        """The call a message belongs to: by its token, else the newest, since this wire does not say."""
        method = str(message["method"])
        if method == "notifications/progress":
            token = params.get("progressToken")
            return self._calls.get(token) if isinstance(token, int) else None
        if is_stray(method):
            return None
        return next(reversed(self._calls.values()), None)

    async def _answer(self, request: OnRequest, message: JsonObject) -> None:
        await self._send(await answer_to(request, message))

    def _end(self, reason: UpstreamGoneError) -> None:
        self._over = self._over or reason
        for call in self._calls.values():
            if not call.answer.done():
                call.answer.set_exception(UpstreamGoneError(str(reason)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and isinstance(cause := task.exception(), Exception):
            self._end(UpstreamGoneError(f"session failed: {cause}"))


def _parse(line: bytes) -> JsonObject | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and message.get("jsonrpc") == "2.0" else None
