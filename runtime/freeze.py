"""Freezes: stops with a reason, an owner and an end. Read at every action.

- A stop is believed without proof: a row that no statement supports still stops, and is reported.
- An end needs proof: the expiry counts only as it was signed, and a lift only when an operator signed it. So
  a stop that Handrail set by itself, or that nobody signed, ends by a signed lift alone.
- What a signed stop is about counts as it was signed, whatever its row says.
- A stop that is in the record and has lost its row stops everything.

Anyone enrolled may freeze. Any operator may lift, also the one who froze: lifting one's own stop gives nobody
more than they had.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, insert, select

from runtime.canonical import JsonValue
from runtime.freeze_rules import Freeze, Scope, Stop, lifts, may_lift, read_row, unending
from runtime.moments import utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, about, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.record.statements import Prepared
from runtime.tables.grants import FreezeLiftRow, FreezeRow
from runtime.tables.log import LogEntryRow
from runtime.tables.people import StatementRow

_FREEZE = FreezeRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LIFT = FreezeLiftRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__.alias("said")  # type: ignore[attr-defined]  # SQLModel does not type its table
_LIFTED = StatementRow.__table__.alias("lifted")  # type: ignore[attr-defined]  # SQLModel does not type its table

_ALL_FREEZES = (
    select(
        _FREEZE.c.id,
        _FREEZE.c.scope,
        _FREEZE.c.target,
        _FREEZE.c.reason,
        _FREEZE.c.owner,
        _SAID.c.body,
        _SAID.c.signature,
        _LIFTED.c.body.label("lift_body"),
        _LIFTED.c.signature.label("lift_signature"),
    )
    .outerjoin(_SAID, _SAID.c.id == _FREEZE.c.statement)
    .outerjoin(_LIFT, _LIFT.c.freeze == _FREEZE.c.id)
    .outerjoin(_LIFTED, _LIFTED.c.id == _LIFT.c.statement)
)
_LOST = (
    select(_LOG.c.subject)
    .outerjoin(_FREEZE, _FREEZE.c.id == _LOG.c.subject)
    .where(_LOG.c.kind == bindparam("kind"), _FREEZE.c.id.is_(None))
)


@dataclass(frozen=True, slots=True)
class Lifted:
    """The freeze ended by this person's word."""

    id: str
    person: str


def freeze(
    tx: Tx, order: Freeze, signed: SignedStatement, *, roster: Roster, now: datetime
) -> Stop | Refused:
    """Set a stop on the signed word of anyone enrolled.

    One that is over by the record's own clock, which never goes back, is refused: it would stop nothing.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    if refused := about(said, order.matter) or unending(order, max(now, tx.now)) or consume(tx, said):
        return refused
    return _set(tx, order, owner=said.person, statement=said.id, now=now)


def stop(tx: Tx, order: Freeze, *, owner: str, now: datetime) -> Stop:
    """Set a stop by Handrail itself, in the transaction that found the cause; only a signed lift ends it.

    Args:
        tx: the transaction.
        order: the stop; its `expires_at` is ignored when it is read, since nobody signed it.
        owner: the part of Handrail that stops.
        now: the present moment.
    """
    return _set(tx, order, owner=owner, statement=None, now=now)


def unfreeze(tx: Tx, signed: SignedStatement, *, roster: Roster, now: datetime) -> Lifted | Refused:
    """Lift the freeze that the statement names, on the signed word of an operator."""
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    freeze_id = said.statement.subject
    if refused := may_lift(said, roster):
        return refused
    if not tx.conn.execute(select(_FREEZE.c.id).where(_FREEZE.c.id == freeze_id)).first():
        return Refused(RefusalCode.OTHER_MATTER, f"there is no freeze `{freeze_id}`")
    if refused := consume(tx, said):
        return refused
    tx.conn.execute(insert(FreezeLiftRow).values(statement=said.id, freeze=freeze_id, lifted_at=now))
    tx.append(
        Event(
            kind=EventKind.FREEZE_LIFTED,
            at=tx.now,
            actor=said.person,
            subject=freeze_id,
            data={"statement": said.id, "lifted_at": utc_text(now)},
        )
    )
    return Lifted(freeze_id, said.person)


def frozen(
    conn: Connection, *, agent: str, deployment: str, now: datetime, roster: Roster
) -> tuple[Stop, ...]:
    """Return the stops that stand in the way of this agent's deployment; read at every action."""
    found = standing_stops(conn, now=now, roster=roster)
    return tuple(stop for stop in found if stop.stops(agent, deployment))


def standing_stops(conn: Connection, *, now: datetime, roster: Roster) -> tuple[Stop, ...]:
    """Return all stops that stand now, those with a problem too."""
    reads = _reads(conn.dialect)
    stops = _believed(tuple(reads[0].run(conn, {}).fetchall()), roster)
    lost = reads[1].run(conn, {"kind": EventKind.FREEZE_SET.value}).fetchall()
    return (*(one for one in stops if one.expires_at is None or now < one.expires_at), *map(_lost, lost))


@lru_cache(maxsize=16)
def _believed(rows: tuple[tuple[Any, ...], ...], roster: Roster) -> tuple[Stop, ...]:
    """Return the stops that nobody lifted, whether or not they ended. Pure: the rows as read decide alone."""
    lifted = {row[0] for row in rows if row[7] is not None and lifts(row[0], *row[7:], roster)}
    return tuple(dict.fromkeys(read_row(row[:7], roster) for row in rows if row[0] not in lifted))


@lru_cache(maxsize=8)
def _reads(dialect: Dialect) -> tuple[Prepared, Prepared]:
    return Prepared(_ALL_FREEZES, dialect), Prepared(_LOST, dialect)


def _lost(row: tuple[Any, ...]) -> Stop:
    problem = f"the record has freeze `{row[0]}` and its row is gone: everything is stopped"
    return Stop("", Scope.ALL.value, "all", "a freeze was deleted", "freeze", None, problem)


def _set(tx: Tx, order: Freeze, *, owner: str, statement: str | None, now: datetime) -> Stop:
    row = {
        "id": order.id,
        "scope": order.scope.value,
        "target": order.target,
        "reason": order.reason,
        "owner": owner,
        "set_at": now,
        "expires_at": order.expires_at,
        "statement": statement,
    }
    tx.conn.execute(insert(FreezeRow).values(row))
    data: dict[str, JsonValue] = {
        "scope": order.scope.value,
        "target": order.target,
        "statement": statement,
        "reason": sha256(order.reason.encode()).hexdigest(),
        "set_at": utc_text(now),
        "expires_at": None if order.expires_at is None else utc_text(order.expires_at),
    }
    tx.append(
        Event(
            kind=EventKind.FREEZE_SET,
            at=tx.now,
            actor=owner,
            subject=order.id,
            data=data,
            payload={"reason": order.reason},
        )
    )
    ends = None if statement is None else order.expires_at
    return Stop(order.id, order.scope.value, order.target, order.reason, owner, ends)
