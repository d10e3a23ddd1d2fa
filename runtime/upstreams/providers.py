"""Model providers: where they are, and how the key is put on. The key enters here, at each request, only."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
from pydantic import SecretStr

from profiles.schema import ModelProvider
from profiles.setting import Setting
from runtime.settings import PREFIX, Settings
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.http_pool import PooledTransport

ANTHROPIC_VERSION: Final = "2023-06-01"
MAX_MODEL_CONNECTIONS: Final = 1024
"""Of all runs together; each has far fewer at a time (`runtime.gateway.model_send`)."""
_VERSION: Final = "anthropic-version"
_BETA: Final = {ModelProvider.OPENAI: "openai-beta", ModelProvider.ANTHROPIC: "anthropic-beta"}
BETA_HEADERS: Final = frozenset(_BETA.values())
"""Lists of values, so that several of them in one request are one (RFC 9110, section 5.3)."""


@dataclass(frozen=True)
class Provider:
    """One provider.

    Attributes:
        kind: whose wire format it speaks.
        base_url: where it is; for `openai` with `/v1`, for `anthropic` without, as their clients have it.
        key: gives the key at each request.
    """

    kind: ModelProvider
    base_url: str
    key: Callable[[], str] = field(repr=False)

    def url(self, path: str) -> str:
        """The address of one endpoint."""
        return self.base_url.rstrip("/") + path

    def headers(self, asked: Mapping[str, str], betas: Collection[str] = ()) -> dict[str, str]:
        """The headers of one request: ours, the key, and of the agent's only what chooses a version.

        Args:
            asked: the agent's headers, names in lower case; its own authorization is dropped.
            betas: those that the profile permits.
        """
        ours = {"content-type": "application/json", "accept-encoding": "identity"}
        if passed := [beta for beta in betas_asked(self.kind, asked) if beta in betas]:
            ours[_BETA[self.kind]] = ",".join(passed)
        if self.kind is ModelProvider.OPENAI:
            return {**ours, "authorization": f"Bearer {self.key()}"}
        return {**ours, _VERSION: asked.get(_VERSION, ANTHROPIC_VERSION), "x-api-key": self.key()}


def betas_asked(kind: ModelProvider, asked: Mapping[str, str]) -> tuple[str, ...]:
    """Return the betas that an agent's headers ask a provider for, in order."""
    values = (value.strip() for value in asked.get(_BETA[kind], "").split(","))
    return tuple(value for value in values if value)


def provider_of(kind: ModelProvider, settings: Settings, setting: Setting = Setting.PRODUCTION) -> Provider:
    """The provider that the operator configured for a setting.

    Args:
        kind: whose wire format it speaks.
        settings: where it is, and its keys.
        setting: of the run. In an evaluation the key is another one, unless the operator shares it.
    """
    place = _places_of(settings)[kind]
    if setting is Setting.PRODUCTION:
        return Provider(kind, place.url, _key(place.variable, place.key))
    url = place.evaluation_url or place.url
    if place.evaluation_key is None and settings.evaluation_shares_model_keys:
        return Provider(kind, url, _key(place.variable, place.key))
    return Provider(kind, url, _key(f"EVALUATION_{place.variable}", place.evaluation_key))


def key_problem(kind: ModelProvider, settings: Settings, setting: Setting) -> str | None:
    """Return why no run of a setting may call a model; None if it may, or that shows at the call (R-21)."""
    place = _places_of(settings)[kind]
    if setting is Setting.PRODUCTION or settings.evaluation_shares_model_keys:
        return None
    step = f"set {PREFIX}EVALUATION_{place.variable}_API_KEY, or {PREFIX}EVALUATION_SHARES_MODEL_KEYS=true"
    if place.evaluation_key is None:
        return f"provider {kind}: no key for evaluation runs; {step}, and start serve again"
    if place.evaluation_key == place.key:
        return f"provider {kind}: got production's key for evaluation runs, expected another; {step}"
    return None


@dataclass(frozen=True)
class _Place:
    """What the settings say of one provider."""

    variable: str
    url: str
    key: SecretStr | None
    evaluation_url: str | None
    evaluation_key: SecretStr | None


def _places_of(settings: Settings) -> Mapping[ModelProvider, _Place]:
    """Return the settings by provider."""
    return {
        ModelProvider.OPENAI: _Place(
            "OPENAI",
            settings.openai_base_url,
            settings.openai_api_key,
            settings.evaluation_openai_base_url,
            settings.evaluation_openai_api_key,
        ),
        ModelProvider.ANTHROPIC: _Place(
            "ANTHROPIC",
            settings.anthropic_base_url,
            settings.anthropic_api_key,
            settings.evaluation_anthropic_base_url,
            settings.evaluation_anthropic_api_key,
        ),
    }


def model_client() -> httpx.AsyncClient:
    """Make a connection pool for model calls: no redirects, nothing from the environment, slow answers."""
    timeout = httpx.Timeout(600, connect=10, pool=10)
    transport = PooledTransport(idle_s=30, most=MAX_MODEL_CONNECTIONS)
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, transport=transport, timeout=timeout)


def _key(variable: str, secret: SecretStr | None) -> Callable[[], str]:
    def give() -> str:
        if secret is None:
            raise UpstreamUnavailableError(
                f"no key of the model's provider; set {PREFIX}{variable}_API_KEY and start serve again"
            )
        return secret.get_secret_value()

    return give
