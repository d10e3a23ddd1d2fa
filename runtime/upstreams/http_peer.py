"""A server behind one address (MCP 2025-11-25, streamable HTTP). Redirects are never followed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import httpx

from runtime.upstreams.errors import (
    RpcError,
    SessionLostError,
    UpstreamGoneError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from runtime.upstreams.http_wire import agreed_version, body_of, drain, message_of, object_of, refusal_of
from runtime.upstreams.listening import PAUSES, Pauses, is_passing, listen
from runtime.upstreams.peers import (
    NO_HOOKS,
    Hooks,
    JsonObject,
    Strays,
    answer_to,
    is_stray,
    outcome_of,
    request_message,
    tell,
)
from runtime.upstreams.sse import Event, events

_ACCEPT: Final = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
_SESSION: Final = "mcp-session-id"
_OK, _ACCEPTED, _NOT_FOUND = 200, 202, 404
_EVENTS: Final = "text/event-stream"
MAX_RESUMES: Final = 3

HeaderSource = Callable[[], Mapping[str, str]]
"""Gives the headers that carry the credential; asked anew for every request, and kept nowhere."""


class HttpPeer:
    """One session with an HTTP server; any number of calls at once."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        strays: Strays,
        *,
        headers: HeaderSource,
        reply_bytes: int,
        pauses: Pauses = PAUSES,
    ) -> None:
        """Build a peer.

        Args:
            client: the connection pool; must not follow redirects.
            url: the one address.
            strays: takes what belongs to no call.
            headers: gives the credential for each request.
            reply_bytes: largest reply that is passed on.
            pauses: between two tries to listen.
        """
        self._client = client
        self._url = url
        self._strays = strays
        self._headers = headers
        self._reply_bytes = reply_bytes
        self._pauses = pauses
        self._session: dict[str, str] = {}
        self._number = 0
        self._listener: asyncio.Task[None] | None = None
        self._finishing: set[asyncio.Task[None]] = set()

    async def request(
        self, method: str, params: Mapping[str, Any], hooks: Hooks = NO_HOOKS, *, timeout_s: float
    ) -> JsonObject:
        """See `Peer.request`."""
        self._number += 1
        number = self._number
        message = request_message(number, method, params, hooks)
        try:
            async with asyncio.timeout(timeout_s):
                return outcome_of(await self._ask(message, hooks))
        except TimeoutError as cause:
            await self._tell_cancelled(number, method)
            raise UpstreamTimeoutError(f"upstream did not answer {method} in {timeout_s} s") from cause
        except asyncio.CancelledError:
            await self._tell_cancelled(number, method)
            raise

    async def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """See `Peer.notify`."""
        message: JsonObject = {"jsonrpc": "2.0", "method": method}
        await self._post_only(message if params is None else {**message, "params": dict(params)})
        if method == "notifications/initialized":
            self._listener = asyncio.create_task(listen(self._listen_once, self._pauses))

    async def close(self) -> None:
        """See `Peer.close`."""
        tasks = [*self._finishing, *([self._listener] if self._listener else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            if _SESSION in self._session:
                await self._client.delete(self._url, headers=self._all_headers(), timeout=2)
        except httpx.HTTPError:
            return  # it is gone already
        finally:
            await self._client.aclose()

    async def _ask(self, message: JsonObject, hooks: Hooks) -> JsonObject:
        content = json.dumps(message, separators=(",", ":")).encode()
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(self._open("POST", content))
            if message["method"] == "initialize" and _SESSION in response.headers:
                self._session[_SESSION] = response.headers[_SESSION]
            if response.headers.get("content-type", "").startswith(_EVENTS):
                pieces = response.aiter_bytes()
                answer, last = await self._follow(pieces, message["id"], hooks)
                if answer is not None:
                    self._finish(pieces, stack.pop_all())
            else:
                answer, last = (
                    object_of(await body_of(response, self._reply_bytes), response.status_code),
                    Event(),
                )
        if answer is None:
            answer = await self._resume(last, message["id"], hooks)
        if message["method"] == "initialize":
            self._session["mcp-protocol-version"] = agreed_version(answer)
        return answer

    async def _follow(
        self, pieces: AsyncIterator[bytes], number: int, hooks: Hooks
    ) -> tuple[JsonObject | None, Event]:
        last = Event()
        async for event in events(pieces, limit=self._reply_bytes):
            last = event if event.id else last
            answer = await self._take(event, number, hooks)
            if answer is not None:
                return answer, last
        return None, last

    def _finish(self, pieces: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        """Let a stream that has answered come to its end, so that its connection can serve another call."""
        task = asyncio.create_task(drain(pieces, stack))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _take(self, event: Event, number: int | None, hooks: Hooks) -> JsonObject | None:
        message = message_of(event.data) if event.data else None
        if message is None:
            return None
        if "method" not in message:
            return message if message.get("id") == number else None
        if "id" in message:
            await self._post_only(await answer_to(hooks.request, message))
        else:
            method, params = str(message["method"]), message.get("params")
            heard = Hooks(notice=self._strays.notice) if is_stray(method) else hooks
            await tell(heard, method, params if isinstance(params, dict) else {})
        return None

    async def _resume(self, last: Event, number: int, hooks: Hooks) -> JsonObject:
        """Go on with a stream that the server closed on purpose (SEP-1699), from its last event.

        The request was sent long ago: whatever goes wrong now leaves its outcome unknown.
        """
        for _ in range(MAX_RESUMES if last.id else 0):
            await asyncio.sleep((last.retry_ms or 1000) / 1000)
            try:
                async with self._open("GET", None, {"last-event-id": last.id}) as response:
                    answer, newer = await self._follow(response.aiter_bytes(), number, hooks)
            except SessionLostError as cause:
                raise UpstreamGoneError("upstream ended the session during the call") from cause
            except UpstreamUnavailableError:
                continue
            if answer is not None:
                return answer
            last = newer if newer.id else last
        raise UpstreamGoneError("upstream ended the stream without an answer")

    async def _listen_once(self, missed: bool) -> bool:
        """Follow the stream of messages that belong to no call; see `runtime.upstreams.listening`."""
        hooks = Hooks(notice=self._strays.notice, request=self._strays.request)
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._open("GET", None))
            except (RpcError, UpstreamProtocolError):
                return False  # it has no such stream (405), or refuses it for good
            if not response.headers.get("content-type", "").startswith(_EVENTS):
                return False
            if missed:
                await self._strays.listening_again()
            await self._follow(response.aiter_bytes(), -1, hooks)
        return True

    async def _post_only(self, message: JsonObject) -> None:
        async with self._open("POST", json.dumps(message, separators=(",", ":")).encode()):
            return

    async def _tell_cancelled(self, number: int, method: str) -> None:
        if method == "initialize":
            return
        try:
            async with asyncio.timeout(2):
                await self.notify("notifications/cancelled", {"requestId": number})
        except (TimeoutError, RpcError, UpstreamGoneError, UpstreamUnavailableError, UpstreamProtocolError):
            return  # it does not listen any more, so nothing is left to cancel

    @asynccontextmanager
    async def _open(
        self, verb: str, content: bytes | None, extra: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        headers = {**self._all_headers(), **(extra or {})}
        try:
            async with self._client.stream(verb, self._url, content=content, headers=headers) as response:
                if response.status_code == _NOT_FOUND and _SESSION in self._session:
                    # MCP 2025-11-25, transports, session management, 4: the session has ended.
                    raise SessionLostError(
                        "upstream ended the session; expected it to last as long as the run"
                    )
                if content is None and is_passing(response.status_code):
                    raise UpstreamUnavailableError(f"upstream answered HTTP status {response.status_code}")
                if response.status_code not in (_OK, _ACCEPTED):
                    raise await refusal_of(response, self._reply_bytes)
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as cause:
            raise UpstreamUnavailableError(f"upstream cannot be reached: {cause!r}") from cause
        except (httpx.HTTPError, httpx.StreamError) as cause:
            raise UpstreamGoneError(f"upstream broke the connection: {cause!r}") from cause

    def _all_headers(self) -> dict[str, str]:
        return {**_ACCEPT, **self._session, **self._headers()}
