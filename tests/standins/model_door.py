"""A run's model door on a loopback port: official clients on one side, the stand-in provider on the other."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import anthropic
import httpx
import openai

from profiles.schema import ModelProvider as Kind
from runtime.clock import Clock, new_id, utc_now
from runtime.gate.context import RunContext
from runtime.gate.replies import GateDoor
from runtime.gateway.model_app import ModelApp
from runtime.gateway.model_call import ModelGate
from runtime.gateway.model_send import ModelParts
from runtime.models.pins import PinDoor
from runtime.upstreams.providers import Provider, model_client
from sandboxes.scrub.model import OwnValue
from tests.standins.model_provider import ANTHROPIC_KEY, OPENAI_KEY, REAL_MODEL, ModelProvider
from tests.standins.open_gate import OpenGate
from tests.standins.profiles import make_profile, make_run
from tests.standins.served import served

# Every client reads the certificates of the world, which takes 20 ms; here nobody asks for one.
_TRUSTED = ssl.create_default_context()


@dataclass
class Wired:
    """What a test has in its hands."""

    url: str
    provider: ModelProvider
    gate: OpenGate
    openai: openai.AsyncOpenAI
    anthropic: anthropic.AsyncAnthropic


class FirstModel:
    """Pins the model that answered first, in memory."""

    def __init__(self) -> None:
        self.pin: str | None = None

    async def is_same(self, run: RunContext, named: str) -> bool:
        del run
        self.pin = named if self.pin is None else self.pin
        return self.pin == named


def plain_client() -> httpx.AsyncClient:
    """A client that is none of a provider's."""
    return httpx.AsyncClient(verify=_TRUSTED)


@asynccontextmanager
async def wired(
    kind: Kind,
    *,
    dead: bool = False,
    max_tokens: int = 64,
    context: Mapping[str, Any] | None = None,
    own: Sequence[OwnValue] = (),
    run: RunContext | None = None,
    gate: GateDoor | None = None,
    pins: PinDoor | None = None,
    clock: Clock = utc_now,
    **model: Any,
) -> AsyncIterator[Wired]:
    """Open a door.

    Args:
        kind: the wire format.
        dead: whether nobody serves at the provider's port.
        max_tokens: of one answer.
        context: the profile's.
        own: the run's own values.
        run: a run to use instead of the usual one; its profile names the model.
        gate: decides; an open one where none is given.
        pins: knows the model.
        clock: the present moment.
        model: more of the profile's model.
    """
    spec = {"alias": "assistant", "provider": kind.value, "name": REAL_MODEL, "max_output_tokens": max_tokens}
    profile = make_profile({}, [], model=spec | model, context=dict(context or {}))
    run = run or replace(make_run(profile), own=tuple(own))
    door, standin = gate or OpenGate(), ModelProvider()
    assert run.profile.model is not None
    async with standin.serving() as port, model_client() as client:
        base = f"http://127.0.0.1:{1 if dead else port}" + "/v1" * (kind is Kind.OPENAI)
        key = OPENAI_KEY if kind is Kind.OPENAI else ANTHROPIC_KEY
        provider = Provider(kind, base, lambda: key)
        parts = ModelParts(door, pins or FirstModel(), provider, client, clock, new_id, pause_s=0.01)
        way = ModelGate(run, run.profile.model, parts)
        app = ModelApp(run.profile.model, way)
        async with served(profile, run=run, gate=door, models=app) as opened:
            root = f"http://127.0.0.1:{opened.port}"
            ours = openai.AsyncOpenAI(
                base_url=f"{root}/v1",
                api_key="placeholder",
                max_retries=0,
                http_client=openai.DefaultAsyncHttpxClient(verify=_TRUSTED),
            )
            theirs = anthropic.AsyncAnthropic(
                base_url=f"{root}/anthropic",
                api_key="placeholder",
                max_retries=0,
                http_client=anthropic.DefaultAsyncHttpxClient(verify=_TRUSTED),
            )
            async with ours, theirs:
                yield Wired(root, standin, door, ours, theirs)  # type: ignore[arg-type]  # tests know their gate
