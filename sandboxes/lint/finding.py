"""Something that would tell an agent its status: where it stands, what it tells, and how to mend it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from profiles.context import StatusKind

LONGEST_FOUND = 120
VOLUME: Final = "volume"
"""Finds nothing that tells: it names what keeps boxes from being made of an image."""
UNREAD: Final = "unread"
"""Finds nothing that tells: it says how much nobody has looked through."""


class Weight(StrEnum):
    """How much it matters."""

    ERROR = "error"  # an agent can read it, and it tells; no deployment is made of it
    WARNING = "warning"  # it may tell, or it is read only where somebody passes it on


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that tells.

    Attributes:
        where: `variable GIT_COMMIT`, `file /app/VERSION`, `model.alias`, `tool send_mail`.
        found: the text that tells, cut to one line; it may be a stranger's words.
        kind: what it tells; None for one of the deployment's own values, and by `VOLUME` and `UNREAD`.
        rule: which rule found it.
        fix: what to do about it, in one line.
        weight: how much it matters.
    """

    where: str
    found: str
    kind: StatusKind | None
    rule: str
    fix: str
    weight: Weight

    def as_json(self) -> dict[str, str | None]:
        """The finding for clients; texts in it may be a stranger's."""
        return {
            "where": self.where,
            "found": self.found,
            "kind": None if self.kind is None else self.kind.value,
            "rule": self.rule,
            "fix": self.fix,
            "weight": self.weight.value,
        }

    def __str__(self) -> str:
        return f"{self.where}: {self.found!r} tells {self.kind or 'its own ' + self.rule}; {self.fix}"


def finding(
    where: str, found: str, kind: StatusKind | None, rule: str, *, fix: str, weight: Weight
) -> Finding:
    """Make a finding of a text of any length."""
    return Finding(where=where, found=one_line(found), kind=kind, rule=rule, fix=fix, weight=weight)


def counts(found: Sequence[Finding]) -> dict[str, int]:
    """Return how much would be told, by kind: for the record, which keeps no stranger's words in the open."""
    return dict(Counter("own" if one.kind is None else one.kind.value for one in found))


def one_line(text: str) -> str:
    """Return the first line that says something, cut."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= LONGEST_FOUND else f"{line[: LONGEST_FOUND - 1]}…"
