"""What can be wrong with a profile or a policy; all problems at once, each with its place."""

from collections.abc import Sequence
from dataclasses import dataclass

from profiles.base import Place


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        key: The place in the file as a path of keys, such as `tools.send_mail.effect`; empty for the whole.
        message: What was got and what was expected.
        line: The line in the file, counted from 1, where it is known.
    """

    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.message}" if self.key else f"{place}{self.message}"


class ProfileError(Exception):
    """A profile or policy that must not be used.

    Attributes:
        source: The file, as it was named by the caller.
        problems: Everything that is wrong with it, in the order of the file.
    """

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{source}: {problem}" for problem in self.problems))


def dotted(place: Place) -> str:
    """Write a place as people read it, such as `never[0].when`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).removeprefix(".")
