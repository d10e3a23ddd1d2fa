"""What in the record nobody expects (R-36): which entries, grouped how, and in which words. Pure.

An entry is unexpected or not by its kind and its readable part alone; no agent's words are looked at, and
none can come out. What is grouped is bounded by the tools of the profile and by closed sets, so an agent
cannot flood a review.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from rollout.reviews.packet.model import Pattern
from runtime.canonical import JsonValue
from runtime.gate.answers import Answer, ReasonCode
from runtime.gate.states import JudgementVerdict
from runtime.record.events import EventKind
from sandboxes.outcome import Ending

UNKNOWN_TOOL: Final = "a tool outside the profile"
_ORDINARY: Final = frozenset({ReasonCode.ABOVE_TIER.value, ReasonCode.TWO_PERSONS.value})
"""Reasons for which writes are held or suggested every day."""
_GOOD_ENDINGS: Final = frozenset({Ending.EXITED.value, Ending.STOPPED.value})

Data = Mapping[str, JsonValue]
Said = tuple[str, ...]
"""The texts of the patterns that one entry adds to; usually one."""


def unexpected(kind: EventKind, data: Data, tool: str | None) -> Said:
    """Return what an entry adds to, in our own words; nothing for what happens every day.

    Args:
        kind: of the entry.
        data: its readable part.
        tool: name of the tool, for entries of actions that do not say it.
    """
    told = _TOLD.get(kind)
    return () if told is None else told(data, tool or UNKNOWN_TOOL)


def kinds() -> frozenset[EventKind]:
    """Return the kinds of entries that can be unexpected: nothing else need be read."""
    return frozenset(_TOLD)


def as_patterns(obligation: str, found: Iterable[tuple[str, int]]) -> tuple[Pattern, ...]:
    """Add up what was found, and give each pattern its id for this obligation: the most frequent first."""
    counts: Counter[str] = Counter()
    for text, count in found:
        counts[text] += count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Pattern(_id(obligation, text), text, count) for text, count in ordered)


def _id(obligation: str, text: str) -> str:
    digest = hashlib.sha256(f"{obligation}\n{text}".encode()).hexdigest()
    return f"pat-{digest[:10]}"


def _decision(data: Data, _tool: str) -> Said:
    answer, name, reasons = data.get("answer"), data.get("name") or UNKNOWN_TOOL, data.get("reasons")
    codes = [str(code) for code in reasons] if isinstance(reasons, list) else []
    odd = codes if answer == Answer.DENY else [code for code in codes if code not in _ORDINARY]
    word = _ANSWERS.get(str(answer), str(answer))
    return tuple(f"{name} was {word}: {code}" for code in odd)


def _outcome(data: Data, tool: str) -> Said:
    match data.get("status"):
        case "unknown":
            return (f"{tool}: nobody knows whether it happened",)
        case "failed":
            return (f"{tool}: it failed, and did not happen",)
        case _:
            return ()


def _run(data: Data, _tool: str) -> Said:
    ending = str(data.get("outcome"))
    if ending in _GOOD_ENDINGS and data.get("exit_code") in (0, None):
        return ()
    code = f" with exit code {data['exit_code']}" if isinstance(data.get("exit_code"), int) else ""
    return (f"a run ended: {ending.replace('_', ' ')}{code}",)


def _judged(data: Data, _tool: str) -> Said:
    harmful = data.get("verdict") == JudgementVerdict.HARMFUL
    return ("something was judged harmful",) if harmful else ()


def _by(text: str, field: str) -> "Callable[[Data, str], Said]":
    return lambda data, _tool: (f"{text}: {data.get(field)}",)


def _plainly(text: str) -> "Callable[[Data, str], Said]":
    return lambda _data, _tool: (text,)


_ANSWERS = {Answer.DENY.value: "denied", Answer.HOLD.value: "held", Answer.SUGGEST.value: "suggested"}
_TOLD: Final[Mapping[EventKind, Callable[[Data, str], Said]]] = {
    EventKind.ACTION_DECISION: _decision,
    EventKind.ACTION_OUTCOME: _outcome,
    EventKind.APPROVAL_REJECTED: _plainly("a held action was rejected"),
    EventKind.RUN_ENDED: _run,
    EventKind.CHANNEL_REFUSED: _plainly("a connection of a box was refused"),
    EventKind.VOLUME_UNLIMITED: _plainly("an upstream could write without a limit"),
    EventKind.SUGGESTION_JUDGED: _judged,
    EventKind.EXECUTED_JUDGED: _judged,
    EventKind.DEPLOYMENT_SUSPENDED: _plainly("the deployment was suspended"),
    EventKind.DEPLOYMENT_OUTDATED: _plainly("the rules of the business changed"),
    EventKind.DEPLOYMENT_DEMOTED: _by("power was taken away", "cause"),
    EventKind.WRITES_SUSPENDED: _by("writes were suspended", "code"),
    EventKind.FREEZE_SET: _by("actions were frozen, scope", "scope"),
    EventKind.INCIDENT_OPENED: _by("an incident was opened", "cause"),
    EventKind.CLOCK_ANOMALY: _plainly("the clock went backwards"),
    EventKind.ANCHOR_LOST: _plainly("the record lost its anchor"),
}
OF_RUNS: Final = frozenset(
    {
        EventKind.ACTION_DECISION,
        EventKind.ACTION_OUTCOME,
        EventKind.APPROVAL_REJECTED,
        EventKind.RUN_ENDED,
        EventKind.CHANNEL_REFUSED,
        EventKind.VOLUME_UNLIMITED,
        EventKind.SUGGESTION_JUDGED,
    }
)
"""Kinds whose entries name a run."""
