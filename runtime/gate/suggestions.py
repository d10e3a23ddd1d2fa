"""Suggestions: actions that were recorded instead of executed, and what people think of them.

Nothing here can execute anything: this module knows no executor. Agreeing is evidence, never a yes.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.errors import KernelError
from runtime.gate.actions import digest_of
from runtime.gate.states import JUDGES, JudgementVerdict
from runtime.people.policies import PolicyBook
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.keyring import KeyRing
from runtime.record.ledger import Ledger
from runtime.record.trace import read_entry
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import suspend
from runtime.tables.actions import JudgementRow, SuggestionRow

_SUGGESTION = SuggestionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_JUDGEMENT = JudgementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


class SuggestionError(KernelError):
    """A suggestion that does not exist, or whose stored card is not the one that was recorded."""


@dataclass(frozen=True)
class Suggestion:
    """A suggestion for people.

    Attributes:
        card: what was wanted and why it was not done; agent text, so escape it before showing it.
        digest: SHA-256 in hex over the card; a judgement binds it.
        judgements: what people said, as rows; evidence verifies them anew.
    """

    id: str
    card: Mapping[str, JsonValue]
    digest: str
    judgements: tuple[JudgementRow, ...] = ()

    def matter(self, verdict: JudgementVerdict, reason: str) -> Matter:
        """Return what a person signs to judge it."""
        body: dict[str, JsonValue] = {"verdict": verdict.value, "reason": reason}
        return Matter(StatementType.JUDGEMENT, self.id, self.digest, body)


@dataclass(frozen=True)
class Judged:
    """A judgement that was taken."""

    suggestion: str
    person: str
    verdict: JudgementVerdict


class Suggestions:
    """The suggestions of one record."""

    def __init__(self, ledger: Ledger, book: PolicyBook) -> None:
        """Take the record and the policy in force."""
        self._ledger = ledger
        self._book = book

    async def listed(
        self, *, agent: str | None = None, unjudged: bool = False, limit: int = 200
    ) -> list[SuggestionRow]:
        """Return the newest suggestions first; cards are shown one by one."""
        return await asyncio.to_thread(self._listed, agent, unjudged=unjudged, limit=limit)

    async def show(self, suggestion: str) -> Suggestion:
        """Return a suggestion with its card.

        Raises:
            SuggestionError: there is none of this id, or its card is not the one that was recorded.
        """
        return await asyncio.to_thread(self._show, suggestion)

    async def judge(self, signed: SignedStatement, suggestion: str) -> Judged | Refused:
        """Take a signed judgement (`Suggestion.matter`). One for each person, and none is ever changed.

        `harmful` suspends writes of that class in the same unit (R-44), whoever else must still look.

        Raises:
            SuggestionError: there is no such suggestion.
            runtime.errors.LedgerError: the record did not take it.
        """
        shown = await self.show(suggestion)
        return await self._ledger.write(
            lambda tx: judge(tx, shown, signed, roster=self._book.current(tx.conn).roster)
        )

    def _listed(self, agent: str | None, *, unjudged: bool, limit: int) -> list[SuggestionRow]:
        query = select(_SUGGESTION).order_by(_SUGGESTION.c.created_at.desc(), _SUGGESTION.c.id).limit(limit)
        if agent is not None:
            query = query.where(_SUGGESTION.c.agent == agent)
        if unjudged:
            query = query.where(_SUGGESTION.c.id.not_in(select(_JUDGEMENT.c.suggestion)))
        with self._ledger.read() as conn:
            return [SuggestionRow(**row) for row in conn.execute(query).mappings()]

    def _show(self, suggestion: str) -> Suggestion:
        with self._ledger.read() as conn:
            return find(conn, self._ledger.keyring, suggestion)


def find(conn: Connection, keyring: KeyRing, suggestion: str) -> Suggestion:
    """Return a suggestion with its card.

    Args:
        conn: a view of the database.
        keyring: opens the card.
        suggestion: its id.

    Raises:
        SuggestionError: there is none of this id, or its card is not the one that was recorded.
    """
    query = select(_SUGGESTION.c.log_seq).where(_SUGGESTION.c.id == suggestion)
    seq = conn.execute(query).scalar_one_or_none()
    if seq is None:
        raise SuggestionError(
            f"no suggestion {suggestion}; `handrail suggestions list` shows those there are"
        )
    entry = read_entry(conn, keyring, seq)
    card = (entry.payload or {}).get("card")
    if not isinstance(card, Mapping) or entry.leaf.subject != suggestion:
        raise SuggestionError(f"suggestion {suggestion}: its card is gone; run `handrail audit verify`")
    digest = digest_of(card)
    if digest != entry.leaf.data.get("card"):
        raise SuggestionError(f"suggestion {suggestion}: its card was changed; run `handrail audit verify`")
    return Suggestion(suggestion, card, digest, _judgements(conn, suggestion))


def judge(tx: Tx, shown: Suggestion, signed: SignedStatement, *, roster: Roster) -> Judged | Refused:
    """Take a signed judgement in the unit that acts on it; see `Suggestions.judge`.

    Args:
        tx: the unit.
        shown: the suggestion as it was shown.
        signed: the reviewer's word.
        roster: who counts now.
    """
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    verdict, reason = said.statement.body.get("verdict"), said.statement.body.get("reason")
    if verdict not in tuple(JudgementVerdict) or not isinstance(reason, str) or not reason.strip():
        return Refused(RefusalCode.OTHER_MATTER, "a judgement has one of the four verdicts, and a reason")
    word = JudgementVerdict(str(verdict))
    if refused := about(said, shown.matter(word, reason)) or _may_not_judge(tx.conn, shown, said, roster):
        return refused
    if refused := consume(tx, said):
        return refused
    return _write(tx, shown, said, word, reason)


def _may_not_judge(conn: Connection, shown: Suggestion, said: Verified, roster: Roster) -> Refused | None:
    if not roster.roles_of(said.person) & JUDGES:
        roles = ", ".join(sorted(role.value for role in JUDGES))
        return Refused(RefusalCode.NOT_PERMITTED, f"judging takes one of the roles {roles}")
    if any(row.person == said.person for row in _judgements(conn, shown.id)):
        return Refused(RefusalCode.USED, f"`{said.person}` has judged this suggestion already")
    return None


def _write(tx: Tx, shown: Suggestion, said: Verified, verdict: JudgementVerdict, reason: str) -> Judged:
    row = {
        "statement": said.id,
        "suggestion": shown.id,
        "person": said.person,
        "verdict": verdict.value,
        "reason": "",  # the words stand in the encrypted statement
        "judged_at": tx.now,
    }
    tx.conn.execute(insert(JudgementRow).values(row))
    names = {name: value if isinstance(value := shown.card.get(name), str) else None for name in _NAMES}
    tx.append(
        Event(
            kind=EventKind.SUGGESTION_JUDGED,
            at=tx.now,
            actor=said.person,
            subject=shown.id,
            data={"verdict": verdict.value, "statement": said.id, "card": shown.digest},
            payload={"reason": reason},
            **names,
        )
    )
    if verdict is JudgementVerdict.HARMFUL:
        _suspend(tx, shown)
    return Judged(shown.id, said.person, verdict)


def _suspend(tx: Tx, shown: Suggestion) -> None:
    deployment, named = shown.card.get("deployment"), shown.card.get("effect")
    suspend(
        tx,
        deployment if isinstance(deployment, str) else EVERYTHING,
        effect=next((effect for effect in Effect if effect.value == named), None),
        code=SuspensionCode.HARMFUL,
        subject=shown.id,
        reason=f"suggestion {shown.id} was judged harmful",
        now=tx.now,
    )


def _judgements(conn: Connection, suggestion: str) -> tuple[JudgementRow, ...]:
    query = select(_JUDGEMENT).where(_JUDGEMENT.c.suggestion == suggestion).order_by(_JUDGEMENT.c.judged_at)
    return tuple(JudgementRow(**row) for row in conn.execute(query).mappings())


_NAMES = ("agent", "deployment", "run")
