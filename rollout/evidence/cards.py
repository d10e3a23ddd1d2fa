"""The cards of items: the whole one that a judgement binds, and the reduced one that comes first (blind).

On a reduced card stands what the work is about: the task, the tool, and the arguments that name the thing to
be worked on. What the agent proposes to do with it, and why, is held back.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from profiles.schema import ArgumentRole, Profile
from rollout.evidence.items import EvidenceError, ItemKind
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.gate.entries import NOT_PROVIDED
from runtime.gate.setting import FIELD
from runtime.gate.states import JudgementVerdict
from runtime.gate.suggestions import Suggestion, find
from runtime.moments import utc_text
from runtime.people.statement import Matter, StatementType
from runtime.record.events import EventKind
from runtime.record.keyring import KeyRing
from runtime.record.trace import read_entry
from runtime.tables.actions import EXECUTED, ActionRow
from runtime.tables.agents import RunRow

_ACTION = ActionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SHOWN_BLIND = frozenset({ArgumentRole.ID, ArgumentRole.COLLECTION})
_KEPT_BLIND = (
    "agent",
    "deployment",
    "run",
    "task",
    "kind",
    "tool",
    "effect",
    "units",
    "setting",
    "created_at",
)


@dataclass(frozen=True)
class Card:
    """What a person is shown about one item; agent text, so escape it before showing it.

    Attributes:
        item: the id of the suggestion or the action.
        fields: plain JSON.
    """

    item: str
    fields: Mapping[str, JsonValue]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the card; what is said about it binds this."""
        return digest_of(dict(self.fields))

    def text(self, name: str) -> str | None:
        """Return a field if it is text."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else None

    def judged(self, verdict: JudgementVerdict, reason: str) -> Matter:
        """Return what a person signs to judge it; the card must be the whole one."""
        return Suggestion(self.item, self.fields, self.digest).matter(verdict, reason)

    def expected(self, words: str) -> Matter:
        """Return what a person signs to say what they would do; the card must be the reduced one."""
        return Matter(StatementType.EXPECTATION, self.item, self.digest, {"expectation": words})


def whole_card(conn: Connection, keyring: KeyRing, item: str, kind: ItemKind) -> Card:
    """Return the card of an item.

    Args:
        conn: a view of the database.
        keyring: opens what is encrypted.
        item: its id.
        kind: what it is.

    Raises:
        EvidenceError: there is no such action, or its arguments are gone.
        runtime.gate.suggestions.SuggestionError: likewise for a suggestion.
    """
    if kind is ItemKind.SUGGESTION:
        return Card(item, find(conn, keyring, item).card)
    return Card(item, _executed(conn, keyring, item))


def blind_card(card: Card, profile: Profile | None) -> Card:
    """Return the reduced card of a suggestion. Pure.

    Args:
        card: the whole one.
        profile: of its deployment; without one no argument is shown.
    """
    args = card.fields.get("args")
    spec = None if profile is None else profile.tools.get(card.text("tool") or "")
    roles = {} if spec is None else {name: argument.role for name, argument in spec.args.items()}
    given = dict(args) if isinstance(args, Mapping) else {}
    shown = {name: value for name, value in given.items() if roles.get(name) in _SHOWN_BLIND}
    fields: dict[str, JsonValue] = {name: card.fields[name] for name in _KEPT_BLIND if name in card.fields}
    head: dict[str, JsonValue] = {"card": "blind-1", "suggestion": card.item}
    return Card(card.item, head | fields | {"args": shown, "withheld": sorted(given.keys() - shown.keys())})


def _executed(conn: Connection, keyring: KeyRing, action: str) -> Mapping[str, JsonValue]:
    query = (
        select(_ACTION.c.log_seq, _RUN.c.task)
        .join_from(_ACTION, _RUN, _RUN.c.id == _ACTION.c.run)
        .where(_ACTION.c.id == action, EXECUTED)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        raise EvidenceError(f"no write {action} was carried out; see `handrail suggestions review`")
    entry = read_entry(conn, keyring, row.log_seq)
    leaf, payload = entry.leaf, entry.payload
    if payload is None or leaf.kind is not EventKind.ACTION_INTENT or leaf.subject != action:
        raise EvidenceError(f"action {action}: its arguments are gone; run `handrail audit verify`")
    said = payload.get("rationale")
    return {
        "card": "executed-1",
        "item": action,
        "agent": leaf.agent,
        "deployment": leaf.deployment,
        "run": leaf.run,
        "task": row.task,
        "kind": leaf.data.get("action"),
        "tool": leaf.data.get("name"),
        "args": payload.get("args"),
        "rationale": None if said == NOT_PROVIDED else said,
        "effect": leaf.data.get("effect"),
        "units": leaf.data.get("units"),
        "reasons": [],
        "created_at": utc_text(leaf.at),
        "action_digest": leaf.data.get("digest"),
        **({FIELD: leaf.data[FIELD]} if FIELD in leaf.data else {}),
    }
