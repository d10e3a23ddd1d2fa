"""Upstreams: the MCP servers behind a profile's tools, the agent's memory, and the model.

A stdio server runs in its own box with its own volumes and credentials; an HTTP server is reached by its one
address. Volumes and credentials are named here and never described: what stands behind a name belongs to
the operator, so no path of a host and no secret is part of a profile.

Under `evaluation` stands what replaces an endpoint in a run of that setting (`profiles.endpoints`). Volumes
and credentials keep their names there; what stands behind them is another thing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from profiles.base import EnvironmentName, EnvironmentText, ImageName, Name, Strict, UpstreamText

DEFAULT_VOLUME_MIB: Final = 1024


class Volume(Strict):
    """A named volume of the operator's, mounted into an upstream's box.

    Attributes:
        size_mib: The most that a writable volume may hold, in MiB. A directory of the host cannot promise it.
    """

    source: Name
    target: Annotated[
        str,
        Field(
            pattern=r"^/[A-Za-z0-9._/-]{1,255}$",
            description="a directory inside the box, such as /data, of letters, digits and . _ -",
        ),
    ]
    read_only: bool = True
    size_mib: Annotated[int, Field(ge=16, le=1_048_576)] | None = None


TcpAddress = Annotated[
    str,
    Field(
        pattern=r"^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$",
        description="HOST:PORT, an IPv6 address in brackets",
    ),
]
"""A host and a port."""

HttpAddress = Annotated[
    str,
    Field(
        max_length=2048,
        pattern=r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[!-~]*)?$",
        description="a URL that begins with https://, or with http://127.0.0.1 or http://localhost",
    ),
]
"""A URL over HTTPS, or of this host."""


class TcpTarget(Strict):
    """A TCP service that an upstream's box reaches on its own loopback."""

    port: Annotated[int, Field(ge=1024, le=65535)]
    to: TcpAddress


class HeaderCredential(Strict):
    """A credential that the connector puts into one header of each request."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    name: Name


class StdioEvaluation(Strict):
    """What a stdio server gets instead in an evaluation run.

    Attributes:
        env: other values for names that `env` has; names cannot be added.
        tcp: another address for each name that `tcp` has; ports stay.
    """

    env: Mapping[EnvironmentName, EnvironmentText] = {}
    tcp: Mapping[Name, TcpAddress] = {}


class HttpEvaluation(Strict):
    """Where an HTTP server is in an evaluation run, and with which credential; without one none is sent."""

    url: HttpAddress
    credential: HeaderCredential | None = None


class StdioUpstream(Strict):
    """An MCP server that speaks over stdin and stdout, in a box of its own."""

    kind: Literal["stdio"]
    image: ImageName
    command: Annotated[tuple[EnvironmentText, ...], Field(min_length=1, max_length=64)]
    env: Mapping[EnvironmentName, EnvironmentText] = {}
    volumes: Annotated[tuple[Volume, ...], Field(max_length=16)] = ()
    tcp: Mapping[Name, TcpTarget] = {}
    credentials: Mapping[EnvironmentName, Name] = {}
    host: bool = False
    memory_mib: Annotated[int, Field(ge=16, le=65_536)] = 512
    pids: Annotated[int, Field(ge=4, le=4096)] = 128
    evaluation: StdioEvaluation | None = None


class HttpUpstream(Strict):
    """An MCP server behind one address (streamable HTTP). Redirects are never followed."""

    kind: Literal["http"]
    url: HttpAddress
    credential: HeaderCredential | None = None
    evaluation: HttpEvaluation | None = None


class MemoryUpstream(Strict):
    """The agent's own memory, kept from run to run; served by Handrail itself, a file in no box.

    Attributes:
        entries: The most entries that one version may have.
        entry_kib: The most that one entry may hold, in KiB.
        size_kib: The most that all entries may hold together, in KiB.
    """

    kind: Literal["memory"]
    entries: Annotated[int, Field(ge=1, le=1000)] = 100
    entry_kib: Annotated[int, Field(ge=1, le=256)] = 16
    size_kib: Annotated[int, Field(ge=1, le=16_384)] = 512


Upstream = Annotated[StdioUpstream | HttpUpstream | MemoryUpstream, Field(discriminator="kind")]


class ModelProvider(StrEnum):
    """Whose wire format the model gateway speaks upstream."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


Money = Annotated[float, Field(ge=0, le=1_000_000)]
"""An amount in the currency that the operator keeps his prices in."""
Tokens = Annotated[int, Field(ge=1, le=1_000_000_000_000)]


Beta = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._=-]{0,63}$")]


class Price(Strict):
    """What a provider charges for a million tokens, in the operator's currency.

    Attributes:
        cache_write: For those asked that it keeps in its cache; without one, twice `input`, which is the
            most that a provider is known to charge. A profile that names none keeps its digest.
    """

    input: Money
    output: Money
    cache_write: Annotated[Money | None, Field(exclude_if=lambda value: value is None)] = None

    @property
    def written(self) -> float:
        """What a million tokens cost that are kept in the provider's cache."""
        return 2 * self.input if self.cache_write is None else self.cache_write


class ModelSpec(Strict):
    """The one model a run may call; the agent sees only the alias.

    Attributes:
        max_calls: Calls of one run.
        max_output_tokens: Tokens of one answer.
        max_tokens: Tokens of one run, asked and answered together.
        max_tokens_per_day: The same for the agent's runs of one day in UTC.
        price: Without one, cost is neither counted nor limited.
        max_cost: Cost of one run.
        max_cost_per_day: Cost of the agent's runs of one day in UTC.
        betas: Values of `anthropic-beta` or `openai-beta` that the agent may send. Others are dropped: a
            beta may cost more than the price says, or tell which model answers.
    """

    alias: Name
    provider: ModelProvider
    name: UpstreamText
    max_calls: Annotated[int, Field(ge=1, le=100_000)] = 200
    max_output_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 8192
    max_tokens: Tokens = 2_000_000
    max_tokens_per_day: Tokens = 20_000_000
    price: Price | None = None
    max_cost: Money = 10
    max_cost_per_day: Money = 100
    betas: Annotated[tuple[Beta, ...], Field(max_length=16)] = ()
