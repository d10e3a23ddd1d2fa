"""Cards: what a person is shown before deciding, and exactly what the signature binds.

A card is kept, encrypted, in the record; its SHA-256 stands in the leaf and in every statement about it. A
row that names another card changes nothing: the digest no longer fits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from profiles.effects import Effect
from profiles.policy import Quorum
from runtime.canonical import JsonValue
from runtime.gate.actions import Action, ActionKind, digest_of
from runtime.gate.answers import ReasonCode
from runtime.gate.checks.approval import held_pairs
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided
from runtime.gate.entries import args_for_record, recordable
from runtime.gate.setting import noted
from runtime.moments import utc_moment, utc_text
from runtime.people.statement import Matter, StatementType


class CardError(ValueError):
    """A stored card does not have the shape of one."""


@dataclass(frozen=True)
class HoldCard:
    """One held action as people see it.

    Attributes:
        fields: the card itself, plain JSON; its digest is what is signed.
    """

    fields: Mapping[str, JsonValue]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical card."""
        return digest_of(dict(self.fields))

    @property
    def hold(self) -> str:
        """The hold's id."""
        return self._text("hold")

    @property
    def run(self) -> str:
        """The run whose action it is."""
        return self._text("run")

    @property
    def action_digest(self) -> str:
        """The digest of the one action that an approval lets happen."""
        return self._text("action_digest")

    @property
    def effect(self) -> Effect:
        """The class of the action."""
        return Effect(self._text("effect"))

    @property
    def expires_at(self) -> datetime:
        """When neither a vote nor an approval counts any more."""
        return utc_moment(self._text("expires_at"))

    @property
    def excluded(self) -> tuple[str, ...]:
        """Who may not decide: whoever launched the run, under any name, and the agent's owner."""
        if self.fields.get("single_user") is True:
            return ()
        operator = self._text("operator")
        return (operator, f"unix:{operator}", self._text("owner"))

    @property
    def clears(self) -> tuple[tuple[str, str], ...]:
        """The (code, key) pairs that an approval clears."""
        pairs = self.fields.get("clears")
        if not isinstance(pairs, list | tuple):
            raise CardError("the card's `clears` is not a list")
        return tuple((str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list | tuple))

    @property
    def told(self) -> tuple[str, ...]:
        """What of the agent's status the action's result or messages tell: keys of `STATUS_TEXT` reasons."""
        return tuple(key for code, key in self.clears if code == ReasonCode.STATUS_TEXT.value)

    @property
    def is_of_result(self) -> bool:
        """Whether it was held after it had been done, for what its result tells."""
        return bool(self.told) and self._text("kind") != ActionKind.MODEL.value

    def action(self, new_id: str) -> Action:
        """Return the action, to be carried out under a new id."""
        args, rationale = self.fields.get("args"), self.fields.get("rationale")
        if not isinstance(args, Mapping):
            raise CardError("the card's `args` is not an object")
        kind, tool = ActionKind(self._text("kind")), self._text("tool")
        return Action(new_id, self.run, kind, tool, args, rationale if isinstance(rationale, str) else None)

    def matter(self, type_: StatementType, *, reason: str | None = None) -> Matter:
        """Return what a person signs: a yes to exactly these reasons, or a no with a reason.

        Args:
            type_: `APPROVAL` or `REJECTION`.
            reason: why; kept with the statement.
        """
        body: dict[str, JsonValue] = {"reason": reason or ""}
        if type_ is StatementType.APPROVAL:
            body["clears"] = [list(pair) for pair in self.clears]
        return Matter(type_, self.hold, self.digest, body)

    def _text(self, name: str) -> str:
        value = self.fields.get(name)
        if not isinstance(value, str):
            raise CardError(f"the card's `{name}` is not text")
        return value


def hold_card(
    hold: str,
    run: RunContext,
    decided: Decided,
    quorum: Quorum,
    *,
    created_at: datetime,
    expires_at: datetime,
) -> HoldCard:
    """Build the card of a held action."""
    reading = decided.reading
    fields: dict[str, JsonValue] = {
        "card": "hold-1",
        "hold": hold,
        "clears": [list(pair) for pair in held_pairs(decided.decision.verdicts)],
        "needed": {
            "count": quorum.count,
            "roles": [role.value for role in quorum.roles],
            "each_of": [role.value for role in quorum.each_of],
            "groups": quorum.groups,
        },
        "expires_at": utc_text(expires_at),
        "operator": run.operator,
        "owner": run.owner,
        "single_user": run.single_user,
    }
    return HoldCard(fields | _common(run, decided, created_at) | {"action_digest": reading.digest})


def suggestion_card(
    suggestion: str, run: RunContext, decided: Decided, *, created_at: datetime
) -> Mapping[str, JsonValue]:
    """Build the card of a suggested action."""
    head: dict[str, JsonValue] = {"card": "suggestion-1", "suggestion": suggestion}
    return head | _common(run, decided, created_at) | {"action_digest": decided.reading.digest}


def _common(run: RunContext, decided: Decided, created_at: datetime) -> dict[str, JsonValue]:
    reading = decided.reading
    return {
        "agent": run.agent,
        "deployment": run.deployment,
        "run": run.run,
        "task": run.task,
        "kind": reading.action.kind.value,
        "tool": reading.action.tool,
        "args": args_for_record(reading),
        "rationale": recordable(reading.action.rationale),
        "effect": reading.effect.value,
        "units": reading.units,
        "reasons": [
            {"code": r.code.value, "detail": r.detail, "rule": r.rule, "key": r.key}
            for r in dict.fromkeys(decided.decision.reasons)
        ],
        "created_at": utc_text(created_at),
        **noted(run.setting),
    }
