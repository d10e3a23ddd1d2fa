"""What an agent asks of a model, made ready: scrubbed, and with the most that it can use."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from profiles.schema import ModelSpec
from runtime.canonical import JsonValue
from runtime.gate.actions import ModelAsk
from runtime.gate.context import RunContext
from runtime.gateway.model_scrub import ModelScrub
from runtime.gateway.model_wire import ENDPOINTS, Endpoint, kind_of, most_output, outgoing
from runtime.models.prices import most_cost, most_input
from runtime.models.usage import holder_of
from runtime.upstreams.providers import betas_asked
from sandboxes.errors import ScrubError
from sandboxes.scrub.model import Change

_LARGE: Final = 65_536  # bytes from which on scrubbing would keep other calls waiting
_NOTED: Final = 20
_SHOWN: Final = 80  # characters of what an agent asked for in vain: enough to see what it was
_MEDIA: Final = frozenset(
    {"image", "image_url", "input_image", "document", "file", "input_file", "input_audio", "audio"}
)
_CACHES: Final = "cache_control"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """What an agent asked of a model.

    Attributes:
        path: one of `ENDPOINTS`.
        body: the request as the agent sent it.
        headers: the agent's headers, names in lower case.
        size: of the body, in bytes.
    """

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    size: int = 0

    @property
    def endpoint(self) -> Endpoint:
        """What is known of the path."""
        return ENDPOINTS[self.path]


@dataclass(frozen=True)
class Request:
    """A call as it goes through the gate and to the provider.

    Attributes:
        sent: what the provider is sent.
        body: the same as bytes.
        ask: what the gate must know; None if it could not be scrubbed, and then the gate denies it.
        changes: what was found in it.
        waiting: digests of its texts that a person must see first.
        dropped: betas that it asked for and the profile does not permit; the agent's words.
    """

    sent: Mapping[str, Any]
    body: bytes
    ask: ModelAsk | None
    changes: tuple[Change, ...] = ()
    waiting: frozenset[bytes] = frozenset()
    dropped: tuple[str, ...] = ()

    @property
    def noted(self) -> dict[str, JsonValue]:
        """What the record keeps of it, where there is something."""
        return {"betas_dropped": [beta[:_SHOWN] for beta in self.dropped]} if self.dropped else {}


async def prepared(
    call: Call, spec: ModelSpec, scrub: ModelScrub, run: RunContext, *, now: datetime
) -> Request:
    """Scrub a call and reckon what it can use.

    Raises:
        ModelRequestError: it is not one that is passed on.
    """
    plain = outgoing(call.endpoint, spec, call.body)
    try:
        large = call.size > _LARGE
        asked = await asyncio.to_thread(scrub.request, plain) if large else scrub.request(plain)
    except (ScrubError, UnicodeError, RecursionError) as error:  # no fault of ours lets it pass unrecorded
        _LOG.warning("run %s: a model call could not be scrubbed: %s", run.run, error)
        return Request({}, b"", None)
    body = json.dumps(asked.sent, separators=(",", ":")).encode()
    tokens, cost = _most(call, spec, asked.sent, len(body))
    holder = holder_of(run.agent, run.setting)
    ask = ModelAsk(tokens, cost, holder, now.strftime("%Y-%m-%d"), asked.told)
    betas = betas_asked(call.endpoint.provider, call.headers)
    dropped = tuple(beta for beta in betas if beta not in spec.betas)[:_NOTED]
    return Request(asked.sent, body, ask, asked.changes, asked.waiting, dropped)


def _most(call: Call, spec: ModelSpec, sent: Mapping[str, Any], size: int) -> tuple[int, int]:
    """Return the most tokens that a request of a size in bytes can use, and the most that it can cost."""
    if not call.endpoint.is_counted:
        return 0, 0
    asked, answered = most_input(size, _media(sent)), most_output(call.endpoint, sent)
    return asked + answered, most_cost(spec.price, asked, answered, caches=_caches(sent))


def _caches(value: Any) -> bool:
    """Whether any part of a request asks the provider to keep it in its cache, which costs more."""
    if isinstance(value, Mapping):
        return value.get(_CACHES) is not None or any(_caches(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return any(_caches(item) for item in value)
    return False


def _media(value: Any) -> int:
    """Count the parts of a request that are no text."""
    if isinstance(value, Mapping):
        return (kind_of(value) in _MEDIA) + sum(_media(item) for item in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(_media(item) for item in value)
    return 0
