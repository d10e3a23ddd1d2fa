"""What every part of the permission language shares: strictness and the shapes of names.

A profile is read once, checked whole, and never changed: models are frozen, unknown keys are refused and
types are not converted. Lists are tuples. An empty list means nothing, never "all".
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """The base of every model in a profile or policy."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


Place = tuple[str | int, ...]
"""Where something stands in a file: keys and list positions from the top."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""A name of ours: a profile, an upstream, a volume, a credential, a rule, a group."""

ToolName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")]
"""A tool as the agent sees it. ASCII only, so that no two names look alike."""

ArgumentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")]
"""An argument of a tool. ASCII only."""

UpstreamText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=256,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="one line of text without control characters",
    ),
]
"""One line that another program gave its own thing: a tool, a model."""

ImageName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._/:@-]{0,254}$")]
"""An image reference as the engine writes it."""

EnvironmentName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]
"""A variable's name."""

EnvironmentText = Annotated[
    str, Field(max_length=131_072, pattern=r"^[^\x00]*$", description="text without NUL")
]
"""A variable's value or one word of a command: at most 128 KiB, without NUL."""

Sentence = Annotated[str, Field(min_length=10, max_length=2000)]
"""Plain text for people."""
