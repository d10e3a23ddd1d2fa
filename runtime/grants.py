"""Grants: what a deployment may do, until when, and on whose signed word. Read at every action.

- A row permits nothing. Its signed causes do, checked at each reading: the signatures, that they are about
  exactly this grant, and that their signers are still enough under the policy in force.
- Every grant ends (R-81), at most `MAXIMUM_LIFE` after a signed word; only a closed review moves the end.
- Signers are never the requester or the agent's owner, except for `read`, which one operator gives.
- What is suspended is not granted, though the grant stands.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, exists, insert, select, update

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.grant_chain import Cause, Fields, fault
from runtime.grant_rules import Order, off_order, short_of
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, recheck, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume, load_statements, was_used
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.statements import Prepared
from runtime.suspensions import suspended
from runtime.tables.grants import GrantCauseRow, GrantRow
from runtime.tables.log import REVOCATION, LogEntryRow
from runtime.tables.people import StatementRow
from runtime.tables.types import utc_moment

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_CAUSE = GrantCauseRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_STATEMENT = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

_FIELDS = (
    _GRANT.c.id,
    _GRANT.c.deployment,
    _GRANT.c.effect,
    _GRANT.c.valid_from,
    _GRANT.c.valid_until,
    _GRANT.c.requester,
    _GRANT.c.owner,
    _GRANT.c.basis,
    _GRANT.c.restores,
)
_REVOKED = select(_LOG.c.seq).where(_LOG.c.kind == REVOCATION, _LOG.c.subject == _GRANT.c.id)
"""The record knows what was revoked, whatever became of the grant's row."""
_WITH_CAUSES = (
    select(*_FIELDS, _STATEMENT.c.body, _STATEMENT.c.signature)
    .outerjoin(_CAUSE, _CAUSE.c.grant == _GRANT.c.id)
    .outerjoin(_STATEMENT, _STATEMENT.c.id == _CAUSE.c.statement)
    .where(_GRANT.c.deployment == bindparam("deployment"), _GRANT.c.revoked_at.is_(None), ~exists(_REVOKED))
    .order_by(_GRANT.c.id, _STATEMENT.c.id)
)
_STANDING = _WITH_CAUSES.where(
    _GRANT.c.valid_from <= bindparam("now"), _GRANT.c.valid_until > bindparam("now")
)


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
    """A grant row that is neither revoked nor outside its time, and whether its causes hold."""

    id: str
    effect: str
    valid_until: datetime
    fault: Refused | None


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

    It needs no signature, because it only takes power away.
    """
    query = select(_GRANT.c.id, _GRANT.c.effect).where(
        _GRANT.c.deployment == deployment,
        _GRANT.c.revoked_at.is_(None),
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
                data={"effect": row.effect, "cause": cause},
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
    rows = _standing(conn.dialect).run(conn, {"deployment": deployment, "now": now}).fetchall()
    held = {Effect(fields[2]) for fields, causes in _grouped(rows) if fault(fields, causes, roster) is None}
    return frozenset(held - suspended(conn, deployment, now=now, roster=roster))


def standing(conn: Connection, deployment: str, *, now: datetime, roster: Roster) -> tuple[Standing, ...]:
    """Return the grant rows of a deployment that are neither revoked nor outside their time, with faults."""
    rows = _standing(conn.dialect).run(conn, {"deployment": deployment, "now": now}).fetchall()
    return tuple(
        Standing(fields[0], fields[2], utc_moment(fields[4]), fault(fields, causes, roster))
        for fields, causes in _grouped(rows)
    )


@lru_cache(maxsize=8)
def _standing(dialect: Dialect) -> Prepared:
    return Prepared(_STANDING, dialect)


def _grouped(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Fields, tuple[Cause, ...]]]:
    """Yield each grant's fields with its causes as pairs of bytes and signature."""
    for fields, group in groupby(rows, key=lambda row: row[:9]):
        yield fields, tuple(row[9:] for row in group if row[9] is not None)


def write(tx: Tx, order: Order, causes: Sequence[Verified], *, now: datetime) -> Issued:
    """Write a grant on words that were found to carry it and are stored: for `issue` and `restore` only."""
    statements = tuple(said.id for said in causes)
    tx.conn.execute(insert(GrantRow).values(_row(order, now)))
    tx.conn.execute(insert(GrantCauseRow), [{"grant": order.id, "statement": id_} for id_ in statements])
    data: dict[str, JsonValue] = {**order.matter().body, "statements": list(statements)}
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


def _row(order: Order, now: datetime) -> dict[str, object]:
    return {
        "id": order.id,
        "deployment": order.deployment,
        "effect": order.effect.value,
        "valid_from": order.valid_from,
        "valid_until": order.valid_until,
        "requester": order.requester,
        "owner": order.owner,
        "basis": order.basis,
        "restores": order.restores,
        "issued_at": now,
    }
