"""Items: what people judge. Suggestions, and a sample of the writes that were carried out (R-84). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from profiles.effects import Effect
from profiles.schema import ArgumentRole, ToolSpec
from runtime.canonical import JsonValue, canonical
from runtime.errors import KernelError
from runtime.gate.actions import digest_of
from runtime.gate.arguments import values_of

_TARGETS = frozenset(
    {
        ArgumentRole.RECIPIENT,
        ArgumentRole.HOST,
        ArgumentRole.URL,
        ArgumentRole.COLLECTION,
        ArgumentRole.PATH,
        ArgumentRole.ID,
    }
)


class EvidenceError(KernelError):
    """Evidence that cannot be drawn, shown, judged or counted."""


class ItemKind(StrEnum):
    """What an item was."""

    SUGGESTION = "suggestion"
    EXECUTED = "executed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that may be drawn.

    Attributes:
        id: of the suggestion or the action.
        log_seq: the entry that holds its arguments.
        happened_at: when it was made or carried out.
    """

    id: str
    agent: str
    task: str | None
    tool: str
    args_digest: str
    log_seq: int
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A drawn item.

    Attributes:
        id: of the suggestion or the action.
        draw: the draw that took it.
        cluster: items of one cluster count once.
        blind: whether a reviewer says what they would do before the proposal is shown.
        happened_at: when it was made or carried out.
    """

    id: str
    kind: ItemKind
    draw: str
    deployment: str
    agent: str
    effect: Effect
    cluster: str
    blind: bool
    happened_at: datetime


def cluster_of(
    task: str | None, tool: str, spec: ToolSpec | None, args: JsonValue, *, args_digest: str
) -> str:
    """Return the key of the cluster that an item belongs to: one task, one tool, one target (F14).

    Splitting one piece of work into many items, or writing the same to the same place again in other words,
    then counts once.

    Args:
        task: the operator's words for what the run is to do.
        tool: what was called.
        spec: what the profile says of it; None where the profile does not know it.
        args: the arguments; anything but an object has no targets.
        args_digest: stands in where no argument names a target.
    """
    targets = _targets(spec, args) if spec is not None and isinstance(args, Mapping) else []
    return digest_of({"task": task, "tool": tool, "targets": targets or args_digest})


def digest_of_items(items: Iterable[tuple[str, str, bool]]) -> str:
    """Return the SHA-256 in hex over the (id, cluster, blind) of everything that one draw took."""
    lines = sorted(f"{id_} {cluster} {int(blind)}" for id_, cluster, blind in items)
    return sha256("\n".join(lines).encode()).hexdigest()


def seeded_order(seed: str, purpose: str, id_: str) -> bytes:
    """Return the place of an item in the order that a seed gives: SHA-256 over seed, purpose and id."""
    return sha256(f"{seed} {purpose} {id_}".encode()).digest()


def _targets(spec: ToolSpec, args: Mapping[str, JsonValue]) -> list[JsonValue]:
    found = {
        canonical([value.argument, value.value]): [value.argument, value.value]
        for value in values_of(spec, args)
        if value.role in _TARGETS
    }
    return [found[key] for key in sorted(found)]
