"""Taking one word about one item, within the unit that acts on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from rollout.evidence.cards import Card
from rollout.evidence.items import Item
from rollout.evidence.spoken import said_on
from rollout.evidence.verdicts import Standing
from rollout.evidence.words import item_of, owner_of, verdict_of
from runtime.canonical import JsonValue
from runtime.clock import new_id
from runtime.demotion import DemotionCause
from runtime.gate.states import JUDGES, JudgementVerdict
from runtime.gate.suggestions import Judged, Suggestion, judge
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import SignedStatement, StatementType
from runtime.people.statements import consume
from runtime.quarantine import quarantine
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.evidence import DrawnItemRow
from runtime.tables.people import StatementRow

_ITEM = DrawnItemRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True)
class Expected:
    """A person said what they would do."""

    item: str
    person: str


def may_judge(person: str, roster: Roster) -> Refused | None:
    """Return why a person judges nothing at all; None if they may."""
    if roster.roles_of(person) & JUDGES:
        return None
    roles = ", ".join(sorted(role.value for role in JUDGES))
    return Refused(RefusalCode.NOT_PERMITTED, f"judging takes one of the roles {roles}")


def take_expectation(
    tx: Tx, drawn: Item | None, reduced: Card | None, signed: SignedStatement, *, roster: Roster
) -> Expected | Refused:
    """Take what a person would do, over the reduced card; once, and before their verdict.

    Args:
        tx: the unit.
        drawn: the item; None if no draw took it.
        reduced: its reduced card; None likewise.
        signed: the person's word.
        roster: who counts now.
    """
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    if drawn is None or reduced is None or not drawn.blind:
        return Refused(RefusalCode.NOT_PERMITTED, "this item is not judged blind: judge it as it is")
    words = said.statement.body.get("expectation")
    if not isinstance(words, str) or not words.strip():
        return Refused(RefusalCode.OTHER_MATTER, "an expectation says in words what you would do")
    refused = about(said, reduced.expected(words)) or _may_not(tx.conn, said, reduced, roster)
    if refused or (refused := _spoke(tx.conn, said, roster) or consume(tx, said)):
        return refused
    data: dict[str, JsonValue] = {"statement": said.id, "card": reduced.digest}
    payload: dict[str, JsonValue] = {"expectation": words}
    tx.append(_event(EventKind.EXPECTATION_STATED, said, reduced, now=tx.now, data=data, payload=payload))
    return Expected(reduced.item, said.person)


def take_suggestion(
    tx: Tx, drawn: Item | None, card: Card, signed: SignedStatement, *, roster: Roster
) -> Judged | Refused:
    """Take a verdict on a suggestion; on one that was drawn blind, only after the person's expectation.

    `harmful` is taken from anyone who may judge, blind or not: nothing may stand in its way.
    """
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    if refused := _may_not(tx.conn, said, card, roster) or _unready(tx.conn, drawn, said, roster):
        return refused
    shown = Suggestion(card.item, card.fields, card.digest)
    judged = judge(tx, shown, signed, roster=roster)
    if drawn is not None and isinstance(judged, Judged):
        settle(tx, drawn, roster)
    return judged


def take_executed(
    tx: Tx, drawn: Item, card: Card, signed: SignedStatement, *, roster: Roster
) -> Judged | Refused:
    """Take a verdict on a write that was carried out; `harmful` puts the agent into quarantine at once."""
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    verdict, reason = verdict_of(said), said.statement.body.get("reason")
    if verdict is None or not isinstance(reason, str) or not reason.strip():
        return Refused(RefusalCode.OTHER_MATTER, "a judgement has one of the four verdicts, and a reason")
    refused = about(said, card.judged(verdict, reason)) or _may_not(tx.conn, said, card, roster)
    if refused or (refused := _spoke(tx.conn, said, roster) or consume(tx, said)):
        return refused
    data: dict[str, JsonValue] = {"verdict": verdict.value, "statement": said.id, "card": card.digest}
    payload: dict[str, JsonValue] = {"reason": reason}
    tx.append(_event(EventKind.EXECUTED_JUDGED, said, card, now=tx.now, data=data, payload=payload))
    if verdict is JudgementVerdict.HARMFUL:
        _stop(tx, drawn, said.person, roster)
    settle(tx, drawn, roster)
    return Judged(card.item, said.person, verdict)


def settle(tx: Tx, drawn: Item, roster: Roster) -> bool:
    """Note on an item's row whether it still waits for somebody; return whether it is settled."""
    settled = _standing(tx.conn, drawn, roster, now=tx.now).settled
    tx.conn.execute(update(DrawnItemRow).where(_ITEM.c.item == drawn.id).values(settled=settled))
    return settled


def lapsed(conn: Connection, roster: Roster, *, now: datetime) -> list[Item]:
    """Return the items that wait on their row and no longer do: nobody took the second look in time.

    Args:
        conn: a view of the database.
        roster: who counts now.
        now: the present moment.
    """
    judged = select(_SAID.c.subject).where(
        _SAID.c.type == StatementType.JUDGEMENT.value, _SAID.c.subject == _ITEM.c.item
    )
    rows = conn.execute(select(_ITEM).where(_ITEM.c.settled.is_(False), judged.exists())).all()
    return [item for item in map(item_of, rows) if _standing(conn, item, roster, now=now).settled]


def _standing(conn: Connection, item: Item, roster: Roster, *, now: datetime) -> Standing:
    owner = owner_of(conn, item.deployment, roster)
    return said_on(conn, item.id, roster).standing(owner, roster, blind=item.blind, now=now)


def _may_not(conn: Connection, said: Verified, card: Card, roster: Roster) -> Refused | None:
    if refused := may_judge(said.person, roster):
        return refused
    if said.person == owner_of(conn, card.text("deployment") or "", roster):
        return Refused(RefusalCode.NOT_PERMITTED, f"`{said.person}` owns this agent, and does not judge it")
    return None


def _unready(conn: Connection, drawn: Item | None, said: Verified, roster: Roster) -> Refused | None:
    if drawn is None or not drawn.blind or verdict_of(said) is JudgementVerdict.HARMFUL:
        return None
    if said_on(conn, drawn.id, roster).expectation_of(said.person) is None:
        detail = "this item is judged blind: say first what you would do, with `suggestions expect`"
        return Refused(RefusalCode.MISSING, detail)
    return None


def _spoke(conn: Connection, said: Verified, roster: Roster) -> Refused | None:
    """Return why a person may not say this again: neither word is ever changed, nor said after the other."""
    spoken = said_on(conn, said.statement.subject, roster)
    if said.person in spoken.verdicts:
        return Refused(RefusalCode.USED, f"`{said.person}` has judged this item already")
    expects = said.statement.type is StatementType.EXPECTATION
    if expects and spoken.expectation_of(said.person) is not None:
        return Refused(RefusalCode.USED, f"`{said.person}` has said already what they would do")
    return None


def _stop(tx: Tx, drawn: Item, person: str, roster: Roster) -> None:
    quarantine(
        tx,
        agent=drawn.agent,
        deployment=drawn.deployment,
        cause=DemotionCause.HARMFUL,
        actor=person,
        roster=roster,
        new_id=new_id,
        now=tx.now,
    )


def _event(
    kind: EventKind,
    said: Verified,
    card: Card,
    *,
    now: datetime,
    data: Mapping[str, JsonValue],
    payload: Mapping[str, JsonValue],
) -> Event:
    return Event(
        kind=kind,
        at=now,
        actor=said.person,
        agent=card.text("agent"),
        deployment=card.text("deployment"),
        run=card.text("run"),
        subject=card.item,
        data=data,
        payload=payload,
    )
