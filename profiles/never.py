"""The never-list: what stays forbidden even if instructed, granted and approved (R-14).

A rule applies to an action when every narrowing it states holds: its tools, its effects, and all its
conditions. Reading is on the side of the rule: a value that cannot be read without doubt meets every
condition, and a negative condition is met by a required argument that is missing.
"""

import re
from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from profiles.base import ArgumentName, Name, Sentence, Strict, ToolName, UpstreamText
from profiles.effects import Effect
from profiles.tools import ArgumentRole, Scalar


def _four_decimals(number: float) -> float:
    if Decimal(str(number)) * 10_000 % 1:
        raise ValueError(f"got {number}, expected at most four decimals")
    return number


Pattern = UpstreamText
r"""Text in which `*` stands for any characters, and `\*` for a star."""

Patterns = Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=50)]
Values = Annotated[tuple[Scalar, ...], Field(min_length=1, max_length=50)]
Bound = Annotated[float, Field(ge=-1e11, le=1e11), AfterValidator(_four_decimals)]
OPERATORS = ("like", "not_like", "one_of", "not_one_of", "above", "below")


class Condition(Strict):
    """One test of one argument; exactly one operator.

    Attributes:
        argument: The argument by name, in every tool of the rule.
        role: Or by role: one argument that has it is enough; a tool without the role is not concerned.
        like: Met by text that matches one of the patterns, whatever its letter case.
        not_like: Met by text that matches none of the patterns.
        one_of: Met by one of the values, whatever its letter case.
        not_one_of: Met by any other value.
        above: Met by a larger number.
        below: Met by a smaller number.

    Of a list, one element that meets the condition is enough.
    """

    argument: ArgumentName | None = None
    role: ArgumentRole | None = None
    like: Patterns | None = None
    not_like: Patterns | None = None
    one_of: Values | None = None
    not_one_of: Values | None = None
    above: Bound | None = None
    below: Bound | None = None

    @model_validator(mode="after")
    def _one_subject_one_operator(self) -> Self:
        if (self.argument is None) == (self.role is None):
            raise ValueError("got both or neither of argument and role, expected exactly one")
        used = [name for name in OPERATORS if getattr(self, name) is not None]
        if len(used) != 1:
            raise ValueError(
                f"got {', '.join(used) or 'no operator'}, expected exactly one of {', '.join(OPERATORS)}"
            )
        return self

    @property
    def operator(self) -> str:
        """Which of the operators this condition uses."""
        return next(name for name in OPERATORS if getattr(self, name) is not None)


class NeverRule(Strict):
    """One entry of the never-list."""

    id: Name
    text: Sentence
    tools: tuple[ToolName, ...] = ()
    effects: tuple[Effect, ...] = ()
    when: tuple[Condition, ...] = ()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.tools and not self.effects:
            raise ValueError("got neither tools nor effects, expected at least one of them")
        return self


def literal_parts(pattern: str) -> list[str]:
    r"""Split a pattern at its wildcards; in what is left, an escaped star is a star."""
    return [part.replace("\\*", "*") for part in re.split(r"(?<!\\)\*", pattern)]
