"""One model call on its way back: checked, shaped, scrubbed, and settled when it is whole."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final, NoReturn, cast

import httpx

from profiles.schema import ModelSpec
from runtime.context.note import Taint
from runtime.context.scrubbing import note_of
from runtime.errors import LedgerError
from runtime.gate.context import RunContext
from runtime.gate.entries import NOT_PROVIDED
from runtime.gate.replies import WITHHELD_TEXT, Performed, Ticket, Unknown
from runtime.gateway.model_ask import Call, Request
from runtime.gateway.model_failures import (
    ANSWER_BYTES,
    OtherModelError,
    ProviderFailedError,
    WithheldError,
    limited,
)
from runtime.gateway.model_reply import is_answer, named_by, shaped, thoughts_of, used_of
from runtime.gateway.model_scrub import ModelScrub
from runtime.gateway.model_send import ModelParts, Sender
from runtime.gateway.model_stream import Show
from runtime.models.prices import Used
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.replies import texts
from runtime.upstreams.sse import Event, events
from sandboxes.constants import INTERRUPTED_TEXT, NO_MODEL_TEXT, REFUSED_TEXT, TOO_MANY_TEXT
from sandboxes.errors import ScrubError
from sandboxes.scrub.model import Change

Emit = Callable[[bytes], Awaitable[None]]
Begin = Callable[[], Awaitable[None]]
_OURS: Final = frozenset({NO_MODEL_TEXT, REFUSED_TEXT, TOO_MANY_TEXT})
_END_S: Final = 0.5  # for the end of a body whose last event has come


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
        async with self._told(), self._sender.answer(call) as (ticket, response, request):
            async with self._on_record(ticket):
                answer = await self._answer_in(call.path, ticket, response)
                if call.endpoint.is_counted:
                    await self._check_model(ticket, named_by(answer))
                shown, done = self._answered(call, request, answer)
            await self._parts.gate.settle(ticket, done)
        return json.dumps(shown, separators=(",", ":")).encode()

    async def _answer_in(self, path: str, ticket: Ticket, response: httpx.Response) -> Any:
        """Return what a provider answered; some report a failure with the status of a success.

        Such a failure names no model, and so is no word of another one than the pinned.
        """
        answer = json.loads(await limited(response))
        if is_answer(path, answer):
            return answer
        return await self._fail(ticket, response, answer)

    async def _fail(self, ticket: Ticket, response: httpx.Response, said: Any) -> NoReturn:
        failed = Performed({"status": response.status_code, "body": said}, is_error=True)
        await self._parts.gate.settle(ticket, failed)
        raise ProviderFailedError("an error in place of an answer")

    async def stream(self, call: Call, begin: Begin, emit: Emit) -> None:
        """Make a call and pass its events on as they come; the same errors as `whole`, before `begin`.

        Args:
            call: what was asked.
            begin: called once, when it is known which model answers.
            emit: takes each event's bytes.
        """
        show = Show(call.path, call.body, self._spec.alias, self._scrub)
        async with self._told(show), self._sender.answer(call) as (ticket, response, request):
            pieces = response.aiter_bytes()
            async with self._on_record(ticket):
                last, waiting = await self._pass_on(ticket, pieces, show, begin, emit)
                if waiting and show.told.error is not None:
                    await self._fail(ticket, response, show.told.error)
                done = self._streamed(show, request)
            await self._parts.gate.settle(ticket, done)
            if waiting:
                await begin()
            if show.told.error is not None:
                await self._tell(INTERRUPTED_TEXT, Taint.TRUSTED)
            await emit(last)
            await _read_out(pieces)

    @asynccontextmanager
    async def _told(self, show: Show | None = None) -> AsyncIterator[None]:
        """Record what is told of a call that failed, and what was seen of one that broke off (R-60)."""
        try:
            yield
        except LedgerError:
            raise  # nothing can be recorded, so nothing is told
        except (ProviderFailedError, WithheldError, asyncio.CancelledError) as error:
            begun = show is not None and show.told.begun
            if show is not None and begun and show.shown:
                await self._tell(show.shown, Taint.MODEL, show.changes)
            if begun and not isinstance(error, asyncio.CancelledError):
                await self._tell(INTERRUPTED_TEXT, Taint.TRUSTED)
            elif isinstance(error, OtherModelError):
                await self._tell(WITHHELD_TEXT, Taint.TRUSTED)
            elif isinstance(error, ProviderFailedError):
                await self._tell(error.said, Taint.TRUSTED if error.said in _OURS else Taint.MODEL)
            raise

    async def _tell(self, text: str, taint: Taint, changes: Sequence[Change] = ()) -> None:
        note = note_of(f"model:{self._spec.alias}", taint, text, changes)
        await self._parts.gate.show(self._run, note, text)

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
        self, ticket: Ticket, pieces: AsyncIterator[bytes], show: Show, begin: Begin, emit: Emit
    ) -> tuple[bytes, bool]:
        """Pass events on, up to the last; the first ones wait until it is known which model answers.

        Returns:
            what says that this is all: a client may leave on it, so it waits for the record. And whether it
            has waited for the model's name in vain.
        """
        waiting: bytes | None = b""
        checked: str | None = None
        generated = cast("AsyncGenerator[Event]", events(pieces, limit=ANSWER_BYTES))
        async with aclosing(generated) as coming:
            async for event in coming:
                out = show.event(event)
                named = show.told.named
                if named != checked or (waiting is not None and show.spoke):
                    checked = named
                    await self._check_model(ticket, named)
                    if waiting is not None:
                        await begin()
                        show.told.begun = True
                        out, waiting = waiting + out, None
                if show.told.ended:
                    return (waiting or b"") + out, waiting is not None
                if waiting is not None:
                    waiting += out
                elif out:
                    await emit(out)
        raise UpstreamUnavailableError("the stream ended before the answer did")

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
        payload |= {"error": show.told.error} if show.told.error is not None else {}
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
        raise OtherModelError(WITHHELD_TEXT)


async def _read_out(pieces: AsyncIterator[bytes]) -> None:
    """Read to the end what has said its last, so that its connection can serve again; not for long."""
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_END_S):
            async for _ in pieces:
                pass
