"""Model providers: where they are, and how the key is put on. The key enters here, at each request, only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx
from pydantic import SecretStr

from profiles.schema import ModelProvider
from runtime.settings import Settings
from runtime.upstreams.errors import UpstreamUnavailableError

ANTHROPIC_VERSION: Final = "2023-06-01"
_PASSED: Final = frozenset({"anthropic-version", "anthropic-beta"})


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

    def headers(self, asked: Mapping[str, str]) -> dict[str, str]:
        """The headers of one request: ours, the key, and of the agent's only what chooses a version.

        Args:
            asked: the agent's headers, names in lower case; its own authorization is dropped.
        """
        ours = {"content-type": "application/json", "accept-encoding": "identity"}
        if self.kind is ModelProvider.OPENAI:
            return {**ours, "authorization": f"Bearer {self.key()}"}
        passed = {name: value for name, value in asked.items() if name in _PASSED}
        return {**ours, "anthropic-version": ANTHROPIC_VERSION, **passed, "x-api-key": self.key()}


def provider_of(kind: ModelProvider, settings: Settings) -> Provider:
    """The provider that the operator configured.

    Raises:
        UpstreamUnavailableError: there is no key for it (when the key is asked for).
    """
    if kind is ModelProvider.OPENAI:
        return Provider(kind, settings.openai_base_url, _key("openai", settings.openai_api_key))
    return Provider(kind, settings.anthropic_base_url, _key("anthropic", settings.anthropic_api_key))


def model_client() -> httpx.AsyncClient:
    """Make a connection pool for model calls: no redirects, nothing from the environment, slow answers."""
    timeout = httpx.Timeout(600, connect=10, pool=10)
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
    return httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=timeout, limits=limits)


def _key(name: str, secret: SecretStr | None) -> Callable[[], str]:
    def give() -> str:
        if secret is None:
            raise UpstreamUnavailableError(
                f"provider {name}: no key; set HANDRAIL_{name.upper()}_API_KEY and start serve again"
            )
        return secret.get_secret_value()

    return give
