"""Rows and entries of holds. Each function is one step of a hold's life, inside the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, insert, or_, select, update

from runtime.canonical import JsonValue, canonical
from runtime.gate.cards import HoldCard
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided
from runtime.gate.places import digest_of_key
from runtime.gate.states import OPEN_HOLDS, HoldState
from runtime.moments import utc_text
from runtime.people.roster import Verified
from runtime.people.statement import StatementType
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.actions import HoldRow, VoteRow
from runtime.tables.agents import RunRow
from runtime.tables.log import LogEntryRow

_HOLD = HoldRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_VOTE = VoteRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_OPEN = tuple(state.value for state in OPEN_HOLDS)


def open_hold(
    tx: Tx, card: HoldCard, run: RunContext, decided: Decided, *, needed: int, now: datetime
) -> None:
    """Write a hold with its card; the card's digest stands readable in the log."""
    reading = decided.reading
    reasons: list[JsonValue] = [[code, digest_of_key(run.deployment, key)] for code, key in card.clears]
    kept = canonical(reasons).decode()
    data: dict[str, JsonValue] = {
        "card": card.digest,
        "digest": reading.digest,
        "action": reading.action.id,
        "reasons": sha256(kept.encode()).hexdigest(),
        "needed": needed,
        "created_at": utc_text(now),
        "expires_at": utc_text(card.expires_at),
    }
    seq = tx.append(
        Event(
            kind=EventKind.APPROVAL_REQUESTED,
            at=now,
            actor="handrail",
            agent=run.agent,
            deployment=run.deployment,
            run=run.run,
            subject=card.hold,
            data=data,
            payload={"card": dict(card.fields)},
        )
    )
    row = {
        "id": card.hold,
        "action": reading.action.id,
        "run": run.run,
        "deployment": run.deployment,
        "kind": reading.action.kind.value,
        "tool": reading.name or "unknown",
        "effect": reading.effect.value,
        "args_digest": reading.digest,
        "reasons": kept,
        "needed": needed,
        "state": HoldState.WAITING.value,
        "log_seq": seq,
        "created_at": now,
        "expires_at": card.expires_at,
    }
    tx.insert(HoldRow, row)


def end_hold(tx: Tx, card: HoldCard, state: HoldState, *, actor: str = "handrail") -> bool:
    """Move an open hold to a final state; false if it was not open any more."""
    changed = tx.conn.execute(
        update(HoldRow).where(_HOLD.c.id == card.hold, _HOLD.c.state.in_(_OPEN)).values(state=state.value)
    )
    if changed.rowcount != 1:
        return False
    tx.append(hold_event(EventKind.APPROVAL_ENDED, card, tx, actor=actor, data={"state": state.value}))
    return True


def approve_hold(tx: Tx, card: HoldCard) -> None:
    """Note that enough persons said yes. A convenience for lists: what counts is counted anew at each use."""
    tx.conn.execute(
        update(HoldRow)
        .where(_HOLD.c.id == card.hold, _HOLD.c.state == HoldState.WAITING.value)
        .values(state=HoldState.APPROVED.value)
    )


def record_vote(tx: Tx, card: HoldCard, said: Verified, *, approved: bool) -> None:
    """Write a vote that was just verified and used up; `approved`: whether it is enough with the others."""
    vote = {"statement": said.id, "hold": card.hold, "person": said.person, "cast_at": tx.now}
    tx.conn.execute(insert(VoteRow).values(vote))
    yes = said.statement.type is StatementType.APPROVAL
    kind = EventKind.APPROVAL_GIVEN if yes else EventKind.APPROVAL_REJECTED
    data: dict[str, JsonValue] = {"card": card.digest, "statement": said.id, "approved": approved}
    tx.append(hold_event(kind, card, tx, actor=said.person, data=data))


def has_voted(conn: Connection, hold: str, person: str) -> bool:
    """Whether a person has spoken on a hold already."""
    query = select(_VOTE.c.statement).where(_VOTE.c.hold == hold, _VOTE.c.person == person)
    return conn.execute(query).first() is not None


def state_of_hold(conn: Connection, hold: str) -> tuple[HoldState, int | None] | None:
    """Return a hold's state and the entry of its outcome; None if there is no such hold."""
    row = conn.execute(select(_HOLD.c.state, _HOLD.c.result_seq).where(_HOLD.c.id == hold)).first()
    if row is None:
        return None
    state = HoldState(row[0])
    if state in OPEN_HOLDS and _has_ended(conn, hold):
        return HoldState.VOIDED, None  # a row that was set back revives nothing
    return state, row[1]


def set_result(tx: Tx, hold: str, seq: int) -> None:
    """Note where the outcome of a used hold stands."""
    tx.conn.execute(update(HoldRow).where(_HOLD.c.id == hold).values(result_seq=seq))


def hold_rows(conn: Connection, states: Sequence[HoldState], *, node: str | None = None) -> list[HoldRow]:
    """Return the holds in these states, of all runs or those of one node, oldest first."""
    wanted = [state.value for state in states]
    query = select(_HOLD).where(_HOLD.c.state.in_(wanted)).order_by(_HOLD.c.created_at, _HOLD.c.id)
    if node is not None:
        ours = or_(_RUN.c.node == node, _RUN.c.node.is_(None))
        query = query.join(_RUN, _RUN.c.id == _HOLD.c.run).where(ours)
    return [HoldRow(**row) for row in conn.execute(query).mappings()]


def hold_row(conn: Connection, hold: str) -> HoldRow | None:
    """Return one hold's row."""
    row = conn.execute(select(_HOLD).where(_HOLD.c.id == hold)).mappings().one_or_none()
    return None if row is None else HoldRow(**row)


def _has_ended(conn: Connection, hold: str) -> bool:
    query = select(_LOG.c.seq).where(_LOG.c.kind == EventKind.APPROVAL_ENDED.value, _LOG.c.subject == hold)
    return conn.execute(query.limit(1)).first() is not None


def hold_event(kind: EventKind, card: HoldCard, tx: Tx, *, actor: str, data: dict[str, JsonValue]) -> Event:
    """Return an entry about a hold."""
    agent, deployment = card.fields.get("agent"), card.fields.get("deployment")
    return Event(
        kind=kind,
        at=tx.now,
        actor=actor,
        agent=agent if isinstance(agent, str) else None,
        deployment=deployment if isinstance(deployment, str) else None,
        run=card.run,
        subject=card.hold,
        data=data,
    )
