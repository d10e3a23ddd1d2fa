"""`/v1` and `/anthropic`: the model provider as its official clients expect it, streaming included."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from profiles.schema import ModelProvider, ModelSpec
from runtime.clock import Clock, NewId
from runtime.errors import LedgerError
from runtime.gate.context import RunContext
from runtime.gate.reading import MODEL_ARGUMENT_BYTES
from runtime.gate.replies import GateDoor
from runtime.gateway.app import send_json, unless_gone
from runtime.gateway.model_ask import Call
from runtime.gateway.model_call import ModelGate
from runtime.gateway.model_failures import ProviderFailedError, WithheldError
from runtime.gateway.model_send import ModelParts
from runtime.gateway.model_told import error_body, model_entry, model_list
from runtime.gateway.model_wire import ENDPOINTS, ModelRequestError
from runtime.models.pins import PinDoor
from runtime.settings import Settings
from runtime.upstreams.providers import BETA_HEADERS, provider_of
from sandboxes.constants import INTERRUPTED_TEXT, NO_MODEL_TEXT

_LISTS: Final = {"/v1/models": ModelProvider.OPENAI, "/anthropic/v1/models": ModelProvider.ANTHROPIC}
_STREAM_HEADERS: Final = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
_LOG = logging.getLogger(__name__)


def models_of(
    run: RunContext,
    settings: Settings,
    client: httpx.AsyncClient,
    *,
    gate: GateDoor,
    pins: PinDoor,
    clock: Clock,
    new_id: NewId,
) -> ASGIApp:
    """Build what serves a run's model calls: its profile's one model, or nothing.

    Args:
        run: the run.
        settings: where the providers are, and their keys.
        client: the connection pool, shared by all runs; see `runtime.upstreams.providers.model_client`.
        gate: decides and records.
        pins: knows which model a deployment is answered by.
        clock: the present moment.
        new_id: names actions.
    """
    spec = run.profile.model
    if spec is None:
        return NoModels()
    provider = provider_of(spec.provider, settings, run.setting)
    parts = ModelParts(gate, pins, provider, client, clock, new_id)
    return ModelApp(spec, ModelGate(run, spec, parts))


class _TooLargeError(Exception):
    """A body is larger than may be sent."""


class NoModels:
    """Serves a run whose profile has no model."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse."""
        del receive
        await send_json(send, 404, error_body(_format_of(scope["path"]), "not_found_error", "Not found"))


class ModelApp:
    """Serves one run's model calls."""

    def __init__(self, spec: ModelSpec, gate: ModelGate) -> None:
        """Build the application.

        Args:
            spec: the run's model.
            gate: sends each call through the gate to the provider.
        """
        self._spec = spec
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope["path"]
        form = _format_of(path)
        if form is not self._spec.provider:
            await send_json(send, 404, error_body(form, "not_found_error", "Not found"))
        elif scope["method"] == "POST" and path in ENDPOINTS:
            await self._call(path, scope, receive, send)
        elif scope["method"] == "GET" and (listed := self._listed(path)) is not None:
            await send_json(send, 200, listed)
        else:
            await send_json(send, 404, error_body(form, "not_found_error", "Not found"))

    def _listed(self, path: str) -> dict[str, Any] | None:
        alias = self._spec.alias
        for prefix, provider in _LISTS.items():
            if path == prefix:
                return model_list(provider, alias)
            if path == f"{prefix}/{alias}":
                return model_entry(provider, alias)
        return None

    async def _call(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        provider = ENDPOINTS[path].provider
        try:
            body, size = await _body(receive)
            call = Call(path, body, _headers(scope), size)
            work = self._stream(call, send) if body.get("stream") is True else self._whole(call, send)
            await unless_gone(work, scope)
        except _TooLargeError:
            await send_json(send, 413, error_body(provider, "request_too_large", "Request too large"))
        except ModelRequestError as error:
            await send_json(send, 400, error_body(provider, "invalid_request_error", str(error)))
        except WithheldError as error:
            await send_json(send, 403, error_body(provider, "permission_error", str(error)))
        except ProviderFailedError as error:
            _LOG.warning("model call failed: %s", error)
            await _send_failure(send, provider, error)
        except LedgerError as error:
            _LOG.error("model call withheld, since the record did not take it: %s", error)
            await _send_failure(send, provider, ProviderFailedError("not recorded"))

    async def _whole(self, call: Call, send: Send) -> None:
        answer = await self._gate.whole(call)
        await _send_bytes(send, 200, answer)

    async def _stream(self, call: Call, send: Send) -> None:
        begun = False

        async def begin() -> None:
            nonlocal begun
            begun = True
            await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})

        async def emit(data: bytes) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": True})

        try:
            await self._gate.stream(call, begin, emit)
        except (ProviderFailedError, LedgerError, WithheldError) as error:
            if not begun:
                raise
            _LOG.warning("model stream failed: %s", error)
            broken = error_body(call.endpoint.provider, "api_error", INTERRUPTED_TEXT)
            await emit(f"event: error\ndata: {json.dumps(broken)}\n\n".encode())
        await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> tuple[Mapping[str, Any], int]:
    data = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ModelRequestError("The request is incomplete")
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > MODEL_ARGUMENT_BYTES:
            raise _TooLargeError
    try:
        body = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as cause:
        raise ModelRequestError("The body is not valid JSON") from cause
    if not isinstance(body, dict):
        raise ModelRequestError("The body is not a JSON object")
    return body, len(data)


def _no_number(name: str) -> NoReturn:
    """Refuse what Python reads as a number and no JSON has (RFC 8259, section 6): NaN and the infinities."""
    raise ValueError(f"{name} is no JSON")


async def _send_failure(send: Send, provider: ModelProvider, error: ProviderFailedError) -> None:
    if error.body:
        await _send_bytes(send, error.status, error.body)
    else:
        await send_json(send, error.status, error_body(provider, "api_error", NO_MODEL_TEXT))


async def _send_bytes(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _format_of(path: str) -> ModelProvider:
    return ModelProvider.ANTHROPIC if path.startswith("/anthropic/") else ModelProvider.OPENAI


def _headers(scope: Scope) -> dict[str, str]:
    """Return a request's headers; of several with one name the last, but for those that are lists."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found and name in BETA_HEADERS else value
    return found
