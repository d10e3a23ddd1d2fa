"""Sending one model call: admitted before it is sent, and again before each further try.

A try that failed before the first byte of an answer is repeated, each time as an action of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from profiles.schema import ModelSpec
from runtime.canonical import JsonValue
from runtime.clock import Clock, NewId
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
from runtime.gateway.model_ask import Call, Request, prepared
from runtime.gateway.model_failures import AgainError, ProviderFailedError, WithheldError, failure_of, limited
from runtime.gateway.model_scrub import ModelScrub
from runtime.gateway.model_wire import rationale_of
from runtime.models.pins import PinDoor
from runtime.upstreams.errors import UpstreamError
from runtime.upstreams.providers import Provider

TRIES: Final = 3
MOST_OPEN: Final = 16
"""Answers that one run may have open; further calls wait for its own, so that no run keeps others waiting."""


@dataclass(frozen=True)
class ModelParts:
    """What a run's model calls go through.

    Attributes:
        gate: decides and records.
        pins: knows which model a deployment is answered by.
        provider: who serves it.
        client: the connection pool.
        clock: the present moment; a call is counted in its day.
        new_id: names actions.
        pause_s: the shortest upper bound of the random pause before a further try, in seconds.
    """

    gate: GateDoor
    pins: PinDoor
    provider: Provider
    client: httpx.AsyncClient
    clock: Clock
    new_id: NewId
    pause_s: float = 0.5


class Sender:
    """Sends a run's model calls, each through the gate."""

    def __init__(self, run: RunContext, spec: ModelSpec, parts: ModelParts, scrub: ModelScrub) -> None:
        """Build it.

        Args:
            run: the run.
            spec: the one model, its alias and limits.
            parts: what calls go through.
            scrub: the run's.
        """
        self._run = run
        self._spec = spec
        self._parts = parts
        self._scrub = scrub
        self._room = asyncio.Semaphore(MOST_OPEN)

    @asynccontextmanager
    async def answer(self, call: Call) -> AsyncIterator[tuple[Ticket, httpx.Response, Request]]:
        """Give the beginning of a call's answer, with its ticket; whoever takes it settles the ticket.

        Raises:
            ModelRequestError: the request is not one that is passed on.
            WithheldError: the gate did not let it happen.
            ProviderFailedError: the provider failed or refused, and the ticket is settled.
        """
        async with self._room, self._answered(call) as answered:
            yield answered

    @asynccontextmanager
    async def _answered(self, call: Call) -> AsyncIterator[tuple[Ticket, httpx.Response, Request]]:
        request = await prepared(call, self._spec, self._scrub, self._run, now=self._parts.clock())
        tries = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=self._parts.pause_s, max=5),
            retry=retry_if_exception_type(AgainError),
            reraise=True,
        )
        answered: tuple[Ticket, httpx.Response] = await tries(self._try, call, request)
        ticket, response = answered
        try:
            yield ticket, response, request
        finally:
            await response.aclose()

    async def _try(self, call: Call, request: Request) -> tuple[Ticket, httpx.Response]:
        ticket = await self._admitted(call, request)
        settle = self._parts.gate.settle
        try:
            response = await self._send(call, request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as cause:
            await settle(ticket, Failed(f"the provider cannot be reached: {cause!r}"))
            raise AgainError(f"not reached: {cause!r}") from cause
        except httpx.HTTPError as cause:
            await settle(ticket, Unknown(f"the provider broke the connection: {cause!r}"))
            raise AgainError(f"broken before the first byte: {cause!r}") from cause
        except (UpstreamError, ValueError) as cause:  # no key, or a header that cannot be sent
            await settle(ticket, Failed(str(cause)))
            raise ProviderFailedError(str(cause)) from cause
        except asyncio.CancelledError:
            await settle(ticket, Unknown("the agent's client left before the answer"))
            raise
        if not response.is_success:
            raise await self._refusal(call, ticket, response, request.noted)
        return ticket, response

    async def _admitted(self, call: Call, request: Request) -> Ticket:
        action = Action(
            self._parts.new_id("act"),
            self._run.run,
            ActionKind.MODEL,
            self._spec.alias,
            dict(call.body),
            rationale=rationale_of(call.body),
            model=request.ask,
        )
        admission = await self._parts.gate.admit(self._run, action)
        if not isinstance(admission, Admitted):
            raise WithheldError(PENDING_TEXT if isinstance(admission, Waiting) else WITHHELD_TEXT)
        self._scrub.let_pass(request.waiting)
        return admission.ticket

    async def _send(self, call: Call, request: Request) -> httpx.Response:
        provider, client = self._parts.provider, self._parts.client
        sent = client.build_request(
            "POST",
            provider.url(call.endpoint.path),
            content=request.body,
            headers=provider.headers(call.headers, self._spec.betas),
        )
        return await client.send(sent, stream=True)

    async def _refusal(
        self, call: Call, ticket: Ticket, response: httpx.Response, noted: Mapping[str, JsonValue]
    ) -> ProviderFailedError:
        """Record a provider's error; only what speaks of the agent's request is passed on."""
        try:
            body = await limited(response)
        except (httpx.HTTPError, ValueError) as cause:
            body = repr(cause).encode()
        finally:
            await response.aclose()
        text, status = body.decode("utf-8", "replace"), response.status_code
        done = Performed({"status": status, "body": text, **noted}, text, is_error=True)
        await self._parts.gate.settle(ticket, done)
        told = text.replace(self._parts.provider.key(), "")
        return failure_of(call.endpoint.provider, status, told, self._scrub.error)
