"""The steps of a request's life, each a row and an entry in the caller's unit."""

from collections.abc import Iterable, Mapping
from hashlib import sha256

from sqlalchemy import delete, insert, update

from rollout.promotions.frozen import Frozen
from rollout.promotions.states import OPEN, PromotionState
from runtime.canonical import JsonValue
from runtime.people.roster import Verified
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.promotions import PromotionRow, PromotionVoteRow

_PROMOTION = PromotionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_VOTE = PromotionVoteRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_OPEN = sorted(state.value for state in OPEN)
_Json = Mapping[str, JsonValue]


def write(tx: Tx, frozen: Frozen, *, statement: str) -> None:
    """Write a request that was just frozen."""
    row = {
        "id": frozen.promotion,
        "deployment": frozen.deployment,
        "agent": frozen.agent,
        "effect": frozen.effect.value,
        "state": PromotionState.EVIDENCE_FROZEN.value,
        "requester": frozen.requester,
        "owner": frozen.owner,
        "grant": frozen.grant,
        "frozen": frozen.to_bytes(),
        "basis": frozen.basis,
        "valid_from": frozen.valid_from,
        "valid_until": frozen.valid_until,
        "created_at": tx.now,
        "expires_at": frozen.expires_at,
    }
    tx.conn.execute(insert(PromotionRow).values(row))
    data: dict[str, JsonValue] = {
        "basis": frozen.basis,
        "effect": frozen.effect.value,
        "grant": frozen.grant,
        "statement": statement,
    }
    payload = {"frozen": frozen.to_bytes().decode()}
    tx.append(
        _event(EventKind.PROMOTION_REQUESTED, tx, frozen, actor=frozen.requester, data=data, payload=payload)
    )


def write_vote(tx: Tx, frozen: Frozen, said: Verified, *, approves: bool) -> None:
    """Write a vote that was just verified and used up, in the place of the same person's earlier one."""
    of_person = (_VOTE.c.promotion == frozen.promotion) & (_VOTE.c.person == said.person)
    tx.conn.execute(delete(PromotionVoteRow).where(of_person))
    tx.conn.execute(
        insert(PromotionVoteRow).values(
            statement=said.id,
            promotion=frozen.promotion,
            person=said.person,
            approves=approves,
            cast_at=tx.now,
        )
    )
    tx.conn.execute(
        update(PromotionRow)
        .where(
            _PROMOTION.c.id == frozen.promotion,
            _PROMOTION.c.state == PromotionState.EVIDENCE_FROZEN.value,
        )
        .values(state=PromotionState.AWAITING.value)
    )
    data: dict[str, JsonValue] = {"approves": approves, "basis": frozen.basis, "statement": said.id}
    tx.append(_event(EventKind.PROMOTION_VOTED, tx, frozen, actor=said.person, data=data))


def write_exception(tx: Tx, frozen: Frozen, said: Verified, gates: Iterable[str]) -> None:
    """Record an exception that was just verified and used up."""
    data: dict[str, JsonValue] = {"gates": sorted(gates), "basis": frozen.basis, "statement": said.id}
    tx.append(_event(EventKind.PROMOTION_EXCEPTED, tx, frozen, actor=said.person, data=data))


def end(tx: Tx, frozen: Frozen, state: PromotionState, *, reason: str, actor: str) -> bool:
    """Move an open request to a final state; false if it was not open any more (F5).

    Args:
        tx: the unit.
        frozen: the request.
        state: where to; `APPLIED` is written by `apply` only, in the unit that issues the grant.
        reason: why, for people; no agent's words.
        actor: the person, or the part of Handrail.
    """
    changed = tx.conn.execute(
        update(PromotionRow)
        .where(_PROMOTION.c.id == frozen.promotion, _PROMOTION.c.state.in_(_OPEN))
        .values(state=state.value, ended_at=tx.now, end_reason=reason)
    )
    if changed.rowcount != 1:
        return False
    applied = state is PromotionState.APPLIED
    kind = EventKind.PROMOTION_APPLIED if applied else EventKind.PROMOTION_ENDED
    data: dict[str, JsonValue] = {
        "state": state.value,
        "basis": frozen.basis,
        "grant": frozen.grant,
        "end_reason": sha256(reason.encode()).hexdigest(),
    }
    tx.append(_event(kind, tx, frozen, actor=actor, data=data, payload={"reason": reason}))
    return True


def _event(
    kind: EventKind, tx: Tx, frozen: Frozen, *, actor: str, data: _Json, payload: _Json | None = None
) -> Event:
    return Event(
        kind=kind,
        at=tx.now,
        actor=actor,
        agent=frozen.agent,
        deployment=frozen.deployment,
        subject=frozen.promotion,
        data=data,
        payload=payload,
    )
