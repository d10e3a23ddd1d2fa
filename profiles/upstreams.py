"""Upstreams: the MCP servers behind a profile's tools, and the model.

A stdio server runs in its own box with its own volumes and credentials; an HTTP server is reached by its one
address. Volumes and credentials are named here and never described: what stands behind a name belongs to
the operator, so no path of a host and no secret is part of a profile.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from profiles.base import EnvironmentName, EnvironmentText, ImageName, Name, Strict, UpstreamText

DEFAULT_VOLUME_MIB: Final = 1024


class Volume(Strict):
    """A named volume of the operator's, mounted into an upstream's box.

    Attributes:
        size_mib: The most that a writable volume may hold, in MiB. A directory of the host cannot promise it.
    """

    source: Name
    target: Annotated[str, Field(pattern=r"^/[A-Za-z0-9._/-]{1,255}$")]
    read_only: bool = True
    size_mib: Annotated[int, Field(ge=16, le=1_048_576)] | None = None


class TcpTarget(Strict):
    """A TCP service that an upstream's box reaches on its own loopback."""

    port: Annotated[int, Field(ge=1024, le=65535)]
    to: Annotated[str, Field(pattern=r"^(\[[0-9a-f:]+\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$")]


class HeaderCredential(Strict):
    """A credential that the connector puts into one header of each request."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")]
    name: Name


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


class HttpUpstream(Strict):
    """An MCP server behind one address (streamable HTTP). Redirects are never followed."""

    kind: Literal["http"]
    url: Annotated[
        str,
        Field(
            max_length=2048,
            pattern=r"^(https://[A-Za-z0-9.-]+|http://(127\.0\.0\.1|localhost))(:[0-9]{1,5})?(/[!-~]*)?$",
        ),
    ]
    credential: HeaderCredential | None = None


Upstream = Annotated[StdioUpstream | HttpUpstream, Field(discriminator="kind")]


class ModelProvider(StrEnum):
    """Whose wire format the model gateway speaks upstream."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class ModelSpec(Strict):
    """The one model a run may call; the agent sees only the alias."""

    alias: Name
    provider: ModelProvider
    name: UpstreamText
    max_calls: Annotated[int, Field(ge=1, le=100_000)] = 200
    max_output_tokens: Annotated[int, Field(ge=1, le=1_000_000)] = 8192
