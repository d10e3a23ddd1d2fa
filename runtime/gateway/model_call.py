"""One model call on its way back: checked, shaped, scrubbed, and settled when it is whole."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from profiles.schema import ModelSpec
from runtime.errors import LedgerError
from runtime.gate.context import RunContext
from runtime.gate.entries import NOT_PROVIDED
from runtime.gate.replies import WITHHELD_TEXT, Performed, Ticket, Unknown
from runtime.gateway.model_ask import Call, Request
from runtime.gateway.model_failures import ANSWER_BYTES, ProviderFailedError, WithheldError, limited
from runtime.gateway.model_reply import is_answer, named_by, shaped, thoughts_of, used_of
from runtime.gateway.model_scrub import ModelScrub
from runtime.gateway.model_send import ModelParts, Sender
from runtime.gateway.model_stream import Show, is_last
from runtime.models.prices import Used
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.replies import texts
from runtime.upstreams.sse import events
from sandboxes.errors import ScrubError
from sandboxes.scrub.model import Change

Emit = Callable[[bytes], Awaitable[None]]
Begin = Callable[[], Awaitable[None]]


class ModelGate:
    """Sends a run's model calls to its provider."""

    def __init__(self, run: RunContext, spec: ModelSpec, parts: ModelParts) -> None:
        """Build the way of one run's model calls.

        Args:
            run: the run.
            spec: the one model, its alias and limits.
            parts: what they go through.
        """
        self._run = run
        self._spec = spec
        self._parts = parts
        self._scrub = ModelScrub(run.scrubber, run.profile.context, spec)
        self._sender = Sender(run, spec, parts, self._scrub)

    async def whole(self, call: Call) -> bytes:
        """Make a call and return its whole answer, as the agent may see it.

        Raises:
            ModelRequestError: the request is not one that is passed on.
            WithheldError: the gate did not let it happen, or another model answered.
            ProviderFailedError: the provider failed or refused.
        """
        async with self._sender.answer(call) as (ticket, response, request):
            async with self._on_record(ticket):
                answer = await self._answer_in(ticket, response)
                if call.endpoint.is_counted:
                    await self._check_model(ticket, named_by(answer))
                shown, done = self._answered(call, request, answer)
            await self._parts.gate.settle(ticket, done)
        return json.dumps(shown, separators=(",", ":")).encode()

    async def _answer_in(self, ticket: Ticket, response: httpx.Response) -> Any:
        """Return what a provider answered; some report a failure with the status of a success.

        Such a failure names no model, and so is no word of another one than the pinned.
        """
        answer = json.loads(await limited(response))
        if is_answer(answer):
            return answer
        failed = Performed({"status": response.status_code, "body": answer}, is_error=True)
        await self._parts.gate.settle(ticket, failed)
        raise ProviderFailedError("an error in place of an answer")

    async def stream(self, call: Call, begin: Begin, emit: Emit) -> None:
        """Make a call and pass its events on as they come; the same errors as `whole`, before `begin`.

        Args:
            call: what was asked.
            begin: called once, when it is known which model answers.
            emit: takes each event's bytes.
        """
        async with self._sender.answer(call) as (ticket, response, request):
            show = Show(call.path, call.body, self._spec.alias, self._scrub)
            async with self._on_record(ticket):
                last = await self._pass_on(ticket, response, show, begin, emit)
                done = self._streamed(show, request)
            await self._parts.gate.settle(ticket, done)
            await emit(last)

    @asynccontextmanager
    async def _on_record(self, ticket: Ticket) -> AsyncIterator[None]:
        """Give a call its outcome, however its way back fails; what it used is then not known.

        Raises:
            ProviderFailedError: something in the answer is not as it should be, or cannot be scrubbed.
        """
        settle = self._parts.gate.settle
        try:
            yield
        except (WithheldError, LedgerError, ProviderFailedError):
            raise  # settled, or nothing can be
        except ScrubError as cause:
            await settle(ticket, Performed({"withheld": f"it could not be scrubbed: {cause}"}))
            raise ProviderFailedError(f"an answer could not be scrubbed: {cause}") from cause
        except asyncio.CancelledError:
            await settle(ticket, Unknown("the agent's client left before the end"))
            raise
        except Exception as cause:
            await settle(ticket, Unknown(f"the answer cannot be read: {cause!r}"))
            raise ProviderFailedError(f"the answer cannot be read: {cause!r}") from cause

    async def _pass_on(
        self, ticket: Ticket, response: httpx.Response, show: Show, begin: Begin, emit: Emit
    ) -> bytes:
        """Pass events on; the first ones wait until it is known which model answers.

        Returns:
            the event that says that this is all: a client may leave on it, so it waits for the record.
        """
        last = b""
        waiting: bytes | None = b""
        checked: str | None = None
        async for event in events(response.aiter_bytes(), limit=ANSWER_BYTES):
            out = show.event(event)
            if waiting is None and show.told.named != checked:
                checked = show.told.named
                await self._check_model(ticket, checked)
            if waiting is not None:
                waiting += out
                if show.told.named is None and not show.spoke:
                    continue
                checked = show.told.named
                await self._check_model(ticket, checked)
                await begin()
                out, waiting = waiting, None
            if is_last(event):
                last += out
            elif out:
                await emit(out)
        if not show.told.ended:
            raise UpstreamUnavailableError("the stream ended before the answer did")
        if waiting is not None:
            await begin()
            last = waiting + last
        return last

    def _answered(self, call: Call, request: Request, answer: Any) -> tuple[Any, Performed]:
        """Return an answer as the agent may see it, and as the record keeps it."""
        changes = list(request.changes)
        shown = self._shown(shaped(call.path, answer, call.body, self._spec.alias), changes)
        payload = self._kept(request, named_by(answer), thoughts_of(shown)) | {"shown": shown}
        usage = answer.get("usage") if isinstance(answer, dict) else None
        answers = call.endpoint.limit is not None
        used = used_of(usage, self._spec.price, answers=answers) if call.endpoint.is_counted else Used()
        note = self._scrub.note(shown, changes)
        return shown, Performed(payload, "\n".join(texts(shown)), note=note, used=used)

    def _streamed(self, show: Show, request: Request) -> Performed:
        changes = [*request.changes, *show.changes]
        payload = self._kept(request, show.told.named, show.thoughts) | {"shown": show.shown}
        used = used_of(show.told.usage, self._spec.price)
        return Performed(payload, show.shown, note=self._scrub.note(show.shown, changes), used=used)

    def _shown(self, seen: Any, changes: list[Change]) -> Any:
        """Scrub what a model said; what stands around it loses the run's own values."""
        names = ("choices", "output", "content", "stop_sequence")
        said = {name: seen[name] for name in names if name in seen}
        frame = {name: item for name, item in seen.items() if name not in said}
        return {**self._scrub.frame(frame), **self._scrub.frame(self._scrub.answer(said, changes))}

    def _kept(self, request: Request, named: str | None, thoughts: str) -> dict[str, Any]:
        """Return what the record keeps beside what was shown: what was sent if it differs, and why (R-11)."""
        kept: dict[str, Any] = {"model": named, "rationale": thoughts or NOT_PROVIDED, **request.noted}
        return kept | ({"sent": request.sent} if request.changes else {})

    async def _check_model(self, ticket: Ticket, named: str | None) -> None:
        """Withhold an answer of another model than the one that is pinned (R-40)."""
        self._scrub.learn(named or "")
        if await self._parts.pins.is_same(self._run, named or ""):
            return
        withheld = {"withheld": "another model answered than was pinned", "model": named}
        await self._parts.gate.settle(ticket, Performed(withheld))
        raise WithheldError(WITHHELD_TEXT)
