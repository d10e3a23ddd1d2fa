"""Grants: what a deployment may do, until when, and on whose signed word. Read at every action.

- A row permits nothing. Its signed causes do, checked at each reading: the signatures, that they are about
  exactly this grant, and that their signers are still enough under the policy in force.
- Every grant ends (R-81), at most `MAXIMUM_LIFE` after it began.
- Signers are never the requester or the agent's owner, except for `read`, which one operator gives.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, exists, insert, select, update

from profiles.effects import Effect
from runtime.canonical import JsonValue
from runtime.grant_rules import Cause, Fields, Order, fault, off_order, short_of
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume, was_used
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.statements import Prepared
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
    if refused := short_of(order, voices, roster):
        return refused
    return _write(tx, order, voices, now=now)


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
    """Return the effect classes a deployment may carry out now; read at every action.

    Args:
        conn: a fresh view of the database.
        deployment: the deployment's digest.
        now: the later of the present moment and the record's high-water mark.
        roster: who counts now.
    """
    rows = _standing(conn.dialect).run(conn, {"deployment": deployment, "now": now}).fetchall()
    return frozenset(
        Effect(fields[2]) for fields, causes in _grouped(rows) if fault(fields, causes, roster) is None
    )


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
    for fields, group in groupby(rows, key=lambda row: row[:7]):
        yield fields, tuple(row[7:] for row in group if row[7] is not None)


def _write(tx: Tx, order: Order, voices: dict[str, Verified], *, now: datetime) -> Issued | Refused:
    if tx.conn.execute(select(_GRANT.c.id).where(_GRANT.c.id == order.id)).first():
        return Refused(RefusalCode.USED, f"grant {order.id} was issued before: sign a new one")
    for said in voices.values():
        consume(tx, said)
    statements = tuple(said.id for said in voices.values())
    tx.conn.execute(insert(GrantRow).values(_row(order, now)))
    tx.conn.execute(insert(GrantCauseRow), [{"grant": order.id, "statement": id_} for id_ in statements])
    data: dict[str, JsonValue] = {**order.matter().body, "statements": list(statements)}
    tx.append(
        Event(
            kind=EventKind.GRANT_ISSUED,
            at=tx.now,
            actor=next(iter(voices)),
            deployment=order.deployment,
            subject=order.id,
            data=data,
        )
    )
    return Issued(order, tuple(voices), statements)


def _row(order: Order, now: datetime) -> dict[str, object]:
    return {
        "id": order.id,
        "deployment": order.deployment,
        "effect": order.effect.value,
        "valid_from": order.valid_from,
        "valid_until": order.valid_until,
        "requester": order.requester,
        "owner": order.owner,
        "issued_at": now,
    }
