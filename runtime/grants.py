"""Grants: what a deployment may do, until when, and on whose signed word. Read at every action.

- A row permits nothing. Its signed causes do, checked at each reading: the signatures, that they are about
  exactly this grant, and that their signers are still enough under the policy in force.
- Every grant ends (R-81), at most `MAXIMUM_LIFE` after a signed word; only a closed review moves the end.
- Signers are never the requester or the agent's owner, except for `read`, which one operator gives.
- What is suspended is not granted, though the grant stands.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.grant_chain import fault
from runtime.grant_rows import KEPT, in_time, row_of
from runtime.grant_rules import REPLACED, Order, off_order, short_of
from runtime.moments import utc_moment, utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, recheck, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume, load_statements, was_used
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.suspensions import suspended
from runtime.tables.grants import GrantCauseRow, GrantRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Issued:
    """The grant stands.

    Attributes:
        order: what was granted.
        signers: whose word it stands on.
        statements: the ids of their statements.
    """

    order: Order
    signers: tuple[str, ...]
    statements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant row that is neither revoked nor outside its time, and whether its causes hold.

    Attributes:
        basis: digest of the evidence that its signers saw; None where there is none.
        restores: the earlier grant that it gives back; None for any other.
    """

    id: str
    effect: str
    valid_until: datetime
    fault: Refused | None
    basis: str | None = None
    restores: str | None = None


def issue(
    tx: Tx, order: Order, signed: Iterable[SignedStatement], *, roster: Roster, now: datetime
) -> Issued | Refused:
    """Issue a grant on signed words that were just handed in, and use them up.

    Args:
        tx: the transaction.
        order: what is granted.
        signed: a statement of each signer.
        roster: who counts now.
        now: the present moment, never before the record's high-water mark.
    """
    voices: dict[str, Verified] = {}
    for one in signed:
        said = verify(one, roster, now=now)
        if isinstance(said, Refused):
            return said
        if refused := off_order(said, order) or was_used(tx.conn, said):
            return refused
        voices.setdefault(said.person, said)
    if refused := _cannot_issue(tx, order, voices, roster):
        return refused
    for said in voices.values():
        consume(tx, said)
    return write(tx, order, tuple(voices.values()), now=now)


def issue_voted(
    tx: Tx, order: Order, signed: Iterable[SignedStatement], *, roster: Roster, now: datetime
) -> Issued | Refused:
    """Issue a grant on words that were handed in earlier, each used up as a vote when it was cast (F6, G12).

    Args:
        tx: the transaction.
        order: what is granted; its id was made for it and is used once.
        signed: the stored statements; one that is too old, or no longer of a person who counts, is no voice.
        roster: who counts now.
        now: the present moment.
    """
    latest = timedelta(hours=roster.policy.expiry.promotion_hours)
    heard = [recheck(one, roster) for one in signed]
    voices = {
        said.person: said
        for said in heard
        if isinstance(said, Verified) and off_order(said, order) is None and now - said.statement.at <= latest
    }
    kept = load_statements(tx.conn, [said.id for said in voices.values()])
    voices = {person: said for person, said in voices.items() if said.id in kept}
    if refused := _cannot_issue(tx, order, voices, roster):
        return refused
    return write(tx, order, tuple(voices.values()), now=now)


def revoke(
    tx: Tx, deployment: str, *, effects: Collection[Effect], cause: str, actor: str, now: datetime
) -> tuple[str, ...]:
    """End the standing grants of a deployment for these effect classes; return their ids.

    It needs no signature, because it only takes power away. With any cause but that another deployment took
    its place, grants that ended so before end once more, for cause: a return cannot give them back.
    """
    query = select(_GRANT.c.id, _GRANT.c.effect).where(
        _GRANT.c.deployment == deployment,
        _GRANT.c.revoked_at.is_(None) if cause == REPLACED else KEPT,
        _GRANT.c.effect.in_([effect.value for effect in effects]),
    )
    found = tx.conn.execute(query.order_by(_GRANT.c.id)).all()
    for row in found:
        values = {"revoked_at": now, "revoke_cause": cause}
        tx.conn.execute(update(GrantRow).where(_GRANT.c.id == row.id).values(values))
        tx.append(
            Event(
                kind=EventKind.GRANT_REVOKED,
                at=tx.now,
                actor=actor,
                deployment=deployment,
                subject=row.id,
                data={"effect": row.effect, "cause": cause, "revoked_at": utc_text(now)},
            )
        )
    return tuple(row.id for row in found)


def granted(conn: Connection, deployment: str, *, now: datetime, roster: Roster) -> frozenset[Effect]:
    """Return the effect classes a deployment may carry out now, without the suspended; read at every action.

    Args:
        conn: a fresh view of the database.
        deployment: the deployment's digest.
        now: the later of the present moment and the record's high-water mark.
        roster: who counts now.
    """
    rows = in_time(conn, deployment, now=now)
    held = frozenset(Effect(fields[2]) for fields, causes in rows if fault(fields, causes, roster) is None)
    # Asked for what only reads, too, so that a reading takes as long whatever is granted.
    return held - suspended(conn, deployment, now=now, roster=roster)


def standing(conn: Connection, deployment: str, *, now: datetime, roster: Roster) -> tuple[Standing, ...]:
    """Return the grant rows of a deployment that are neither revoked nor outside their time, with faults."""
    return tuple(
        Standing(
            fields[0],
            fields[2],
            utc_moment(fields[4]),
            fault(fields, causes, roster),
            fields[7],
            fields[8],
        )
        for fields, causes in in_time(conn, deployment, now=now)
    )


def write(tx: Tx, order: Order, causes: Sequence[Verified], *, now: datetime) -> Issued:
    """Write a grant on words that were found to carry it and are stored: for `issue` and `restore` only."""
    statements = tuple(said.id for said in causes)
    tx.conn.execute(insert(GrantRow).values(row_of(order, now)))
    tx.conn.execute(insert(GrantCauseRow), [{"grant": order.id, "statement": id_} for id_ in statements])
    data: dict[str, JsonValue] = {
        **order.matter().body,
        "statements": list(statements),
        "issued_at": utc_text(now),
    }
    tx.append(
        Event(
            kind=EventKind.GRANT_ISSUED,
            at=tx.now,
            actor=causes[-1].person,
            deployment=order.deployment,
            subject=order.id,
            data=data,
        )
    )
    return Issued(order, tuple(dict.fromkeys(said.person for said in causes)), statements)


def _cannot_issue(tx: Tx, order: Order, voices: Collection[str], roster: Roster) -> Refused | None:
    if order.restores is not None:
        return Refused(RefusalCode.NOT_PERMITTED, "a grant that restores another is restored, not issued")
    return short_of(order, voices, roster) or was_issued(tx.conn, order)


def was_issued(conn: Connection, order: Order) -> Refused | None:
    """Return a refusal if a grant of this id was ever issued; None if not."""
    if conn.execute(select(_GRANT.c.id).where(_GRANT.c.id == order.id)).first():
        return Refused(RefusalCode.USED, f"grant {order.id} was issued before: sign a new one")
    return None
