"""What a notice says, for programs (JSON) and for people (mail). Pure."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from runtime.moments import utc_text
from runtime.notices.outbox import Route

MOST_IDS: Final = 50
"""How many things of one kind are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice on its way by one channel.

    Attributes:
        id: of its row.
        kind: what is told, one of `NoticeKind`.
        subject: the id of what it is about.
        at: when it was written.
        facts: ids, counts and names that people chose; `ids` and `count` where it is about several things.
        tries: how often it was tried, with the present round.
    """

    id: str
    kind: str
    subject: str
    at: datetime
    facts: Mapping[str, Any]
    tries: int


@dataclass(frozen=True)
class Message:
    """Notices that are told together: same channel, same route.

    Attributes:
        channel: the channel's name.
        route: who is told.
        notices: oldest first.
    """

    channel: str
    route: Route
    notices: tuple[Notice, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many things of each kind it is about."""
        counts: defaultdict[str, int] = defaultdict(int)
        for one in self.notices:
            counts[one.kind] += int(one.facts.get("count", 1))
        return dict(sorted(counts.items()))

    @property
    def as_json(self) -> str:
        """The message as one line of ASCII for a program."""
        told = [
            {"kind": one.kind, "id": one.subject, "at": utc_text(one.at), **one.facts}
            for one in self.notices[:MOST_IDS]
            if "ids" not in one.facts
        ]
        value = {"route": self.route.value, "waiting": self.counts, "ids": self._ids(), "notices": told}
        return json.dumps(value, ensure_ascii=True)

    @property
    def title(self) -> str:
        """The message in one line for people."""
        counted = ", ".join(f"{count} {kind}" for kind, count in self.counts.items())
        return f"Handrail ({self.route.value}): {counted}"

    @property
    def text(self) -> str:
        """The message for people."""
        lines = [_line(one) for one in self.notices[:MOST_IDS]]
        left = len(self.notices) - len(lines)
        more = [f"and {left} more"] if left else []
        return "\n".join([*lines, *more, "", *_steps(self.counts)]) + "\n"

    def _ids(self) -> dict[str, list[str]]:
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for one in self.notices:
            kept = ids[one.kind]
            kept.extend(list(one.facts.get("ids", (one.subject,)))[: MOST_IDS - len(kept)])
        return dict(ids)


_STEPS = {
    "hold": "handrail approvals list",
    "suggestion": "handrail suggestions list --unjudged",
    "alert": "handrail alerts list",
    "incident": "handrail incidents list",
    "reminder": "handrail incidents list",
    "obligation": "handrail review list",
}


def _line(one: Notice) -> str:
    facts = " ".join(f"{name}={value}" for name, value in sorted(one.facts.items()) if name != "ids")
    return f"{utc_text(one.at)[:16]}Z  {one.kind} {one.subject}  {facts}".rstrip()


def _steps(kinds: Sequence[str] | Mapping[str, int]) -> list[str]:
    return sorted({_STEPS[kind] for kind in kinds if kind in _STEPS})
