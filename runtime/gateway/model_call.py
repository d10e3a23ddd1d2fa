"""One model call on its way through the gate: admitted before it is sent, settled when its answer is whole.

A try that failed before the first byte of an answer is repeated, each time as an action of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from profiles.schema import ModelSpec
from runtime.clock import NewId
from runtime.gate.actions import Action, ActionKind
from runtime.gate.context import RunContext
from runtime.gate.replies import (
    PENDING_TEXT,
    WITHHELD_TEXT,
    Admitted,
    Failed,
    GateDoor,
    Performed,
    Ticket,
    Unknown,
    Waiting,
)
from runtime.gateway.model_wire import Endpoint, outgoing, shown, shown_event, text_of_event
from runtime.upstreams.errors import UpstreamError
from runtime.upstreams.providers import Provider
from runtime.upstreams.replies import texts
from runtime.upstreams.sse import events

TRIES: Final = 3
KEPT_BYTES: Final = 1024 * 1024
ANSWER_BYTES: Final = 16 * 1024 * 1024
_AGAIN: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_TOLD: Final = frozenset({400, 413, 422, 429})

Emit = Callable[[bytes], Awaitable[None]]


class WithheldError(Exception):
    """The gate did not let the call happen; the text is one of its constants."""


class ProviderFailedError(Exception):
    """The provider gave no answer that the agent may see; the message is for the record alone."""

    def __init__(self, reason: str, status: int = 502, body: bytes = b"") -> None:
        self.status = status
        self.body = body
        super().__init__(reason)


class _AgainError(ProviderFailedError):
    """A try that failed before the first byte, and may be repeated."""


@dataclass(frozen=True)
class Call:
    """What an agent asked of a model.

    Attributes:
        body: the request as the agent sent it.
        headers: the agent's headers, names in lower case.
    """

    endpoint: Endpoint
    body: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass
class _Kept:
    """What is kept of a streamed answer for the record."""

    size: int = 0
    parts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Keep a piece, up to the bound."""
        if self.size < KEPT_BYTES:
            self.size += len(text)
            self.parts.append(text)


class ModelGate:
    """Sends a run's model calls to its provider."""

    def __init__(
        self,
        run: RunContext,
        spec: ModelSpec,
        provider: Provider,
        client: httpx.AsyncClient,
        *,
        gate: GateDoor,
        new_id: NewId,
        pause_s: float = 0.5,
    ) -> None:
        """Build the way of one run's model calls.

        Args:
            run: the run.
            spec: the one model, its alias and limits.
            provider: who serves it.
            client: the connection pool.
            gate: decides and records.
            new_id: names actions.
            pause_s: the shortest upper bound of the random pause before a further try, in seconds.
        """
        self._run = run
        self._spec = spec
        self._provider = provider
        self._client = client
        self._gate = gate
        self._new_id = new_id
        self._pause_s = pause_s

    async def whole(self, call: Call) -> bytes:
        """Make a call and return its whole answer, as the agent may see it.

        Raises:
            ModelRequestError: the request is not one that is passed on.
            WithheldError: the gate did not let it happen.
            ProviderFailedError: the provider failed or refused.
        """
        async with self._answer(call) as (ticket, response):
            answer = await self._read(ticket, response)
            await self._gate.settle(ticket, Performed(answer, "\n".join(texts(answer))))
        return json.dumps(shown(answer, self._spec), separators=(",", ":")).encode()

    async def stream(self, call: Call, begin: Callable[[], Awaitable[None]], emit: Emit) -> None:
        """Make a call and pass its events on as they come; the same errors as `whole`, before `begin`.

        Args:
            call: what was asked.
            begin: called once, when the provider has begun to answer.
            emit: takes each event's bytes.
        """
        kept = _Kept()
        async with self._answer(call) as (ticket, response):
            await begin()
            try:
                async for event in events(response.aiter_bytes(), limit=ANSWER_BYTES):
                    kept.add(text_of_event(event))
                    await emit(shown_event(event, self._spec))
            except (httpx.HTTPError, UpstreamError) as cause:
                await self._gate.settle(ticket, Unknown(f"the provider's stream broke: {cause!r}"))
                raise ProviderFailedError(f"the stream broke: {cause!r}") from cause
            except asyncio.CancelledError:
                await self._gate.settle(ticket, Unknown("the agent's client left before the end"))
                raise
            text = "".join(kept.parts)
            await self._gate.settle(ticket, Performed({"streamed": text}, text))

    @asynccontextmanager
    async def _answer(self, call: Call) -> AsyncIterator[tuple[Ticket, httpx.Response]]:
        sent = json.dumps(outgoing(call.endpoint, self._spec, call.body), separators=(",", ":")).encode()
        pause = wait_random_exponential(multiplier=self._pause_s, max=5)
        tries = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=pause,
            retry=retry_if_exception_type(_AgainError),
            reraise=True,
        )
        answered: tuple[Ticket, httpx.Response] = await tries(self._try, call, sent)
        ticket, response = answered
        try:
            yield ticket, response
        finally:
            await response.aclose()

    async def _try(self, call: Call, sent: bytes) -> tuple[Ticket, httpx.Response]:
        action = Action(
            self._new_id("act"), self._run.run, ActionKind.MODEL, self._spec.alias, dict(call.body)
        )
        admission = await self._gate.admit(self._run, action)
        if not isinstance(admission, Admitted):
            raise WithheldError(PENDING_TEXT if isinstance(admission, Waiting) else WITHHELD_TEXT)
        ticket = admission.ticket
        try:
            response = await self._send(call, sent)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as cause:
            await self._gate.settle(ticket, Failed(f"the provider cannot be reached: {cause!r}"))
            raise _AgainError(f"not reached: {cause!r}") from cause
        except httpx.HTTPError as cause:
            await self._gate.settle(ticket, Unknown(f"the provider broke the connection: {cause!r}"))
            raise _AgainError(f"broken before the first byte: {cause!r}") from cause
        except UpstreamError as cause:
            await self._gate.settle(ticket, Failed(str(cause)))
            raise ProviderFailedError(str(cause)) from cause
        except asyncio.CancelledError:
            await self._gate.settle(ticket, Unknown("the agent's client left before the answer"))
            raise
        if not response.is_success:
            raise await self._refusal(ticket, response)
        return ticket, response

    async def _send(self, call: Call, sent: bytes) -> httpx.Response:
        url = self._provider.url(call.endpoint.path)
        request = self._client.build_request(
            "POST", url, content=sent, headers=self._provider.headers(call.headers)
        )
        return await self._client.send(request, stream=True)

    async def _read(self, ticket: Ticket, response: httpx.Response) -> Any:
        try:
            return json.loads(await _limited(response))
        except (httpx.HTTPError, ValueError) as cause:
            await self._gate.settle(ticket, Unknown(f"the provider's answer cannot be read: {cause!r}"))
            raise ProviderFailedError(f"answer cannot be read: {cause!r}") from cause
        except asyncio.CancelledError:
            await self._gate.settle(ticket, Unknown("the agent's client left before the answer"))
            raise

    async def _refusal(self, ticket: Ticket, response: httpx.Response) -> ProviderFailedError:
        """Record a provider's error. Only what speaks of the agent's request is passed on (never our key)."""
        status = response.status_code
        try:
            body = await _limited(response)
        except (httpx.HTTPError, ValueError) as cause:
            body = repr(cause).encode()
        finally:
            await response.aclose()
        text = body.decode("utf-8", "replace")
        await self._gate.settle(ticket, Performed({"status": status, "body": text}, text, is_error=True))
        told = body.replace(self._spec.name.encode(), self._spec.alias.encode()) if status in _TOLD else b""
        kind = _AgainError if status in _AGAIN else ProviderFailedError
        return kind(f"status {status}", status if status in _TOLD | _AGAIN else 502, told)


async def _limited(response: httpx.Response) -> bytes:
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > ANSWER_BYTES:
            raise ValueError(f"answer of more than {ANSWER_BYTES} bytes")
    return bytes(data)
