"""Grants as they stand in the database: one query, run at every action."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, bindparam, exists, or_, select

from runtime.grant_chain import Cause, Fields
from runtime.grant_rules import REPLACED, Order
from runtime.record.statements import Prepared
from runtime.tables.grants import GrantCauseRow, GrantRow
from runtime.tables.log import ISSUE, POWER, REVOCATION, LogEntryRow
from runtime.tables.people import StatementRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_CAUSE = GrantCauseRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_STATEMENT = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

KEPT: ColumnElement[bool] = or_(_GRANT.c.revoked_at.is_(None), _GRANT.c.revoke_cause == REPLACED)
"""A condition on grants: that they stand, or that a return to their deployment could give them back. Whatever
takes power away for cause takes both: a cause that is found late must not be undone by a return."""

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
_ISSUED = select(_LOG.c.seq).where(
    POWER,
    _LOG.c.deployment == _GRANT.c.deployment,
    _LOG.c.kind == ISSUE,
    _LOG.c.subject == _GRANT.c.id,
)
"""The record knows what was issued. Words for a grant are signed before its evidence is looked at again, so
a row made by hand from words that wait for that, or that were rejected, is no grant."""
_STANDING = (
    select(*_FIELDS, exists(_ISSUED), _STATEMENT.c.body, _STATEMENT.c.signature)
    .outerjoin(_CAUSE, _CAUSE.c.grant == _GRANT.c.id)
    .outerjoin(_STATEMENT, _STATEMENT.c.id == _CAUSE.c.statement)
    .where(
        _GRANT.c.deployment == bindparam("deployment"),
        _GRANT.c.revoked_at.is_(None),
        ~exists(_REVOKED),
        _GRANT.c.valid_from <= bindparam("now"),
        _GRANT.c.valid_until > bindparam("now"),
    )
    .order_by(_GRANT.c.id, _STATEMENT.c.id)
)


def in_time(
    conn: Connection, deployment: str, *, now: datetime
) -> Iterator[tuple[Fields, tuple[Cause, ...]]]:
    """Yield each grant of a deployment that is neither revoked nor outside its time, with its causes."""
    rows = _standing(conn.dialect).run(conn, {"deployment": deployment, "now": now}).fetchall()
    return _grouped(rows)


def row_of(order: Order, now: datetime) -> dict[str, object]:
    """Return the row of a grant that is issued now."""
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


def _grouped(rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Fields, tuple[Cause, ...]]]:
    """Group rows by grant. One that the record does not know has no causes, so nothing carries it."""
    for (*fields, issued), group in groupby(rows, key=lambda row: row[: len(_FIELDS) + 1]):
        causes = tuple(row[-2:] for row in group if row[-1] is not None)
        yield tuple(fields), causes if issued else ()


@lru_cache(maxsize=8)
def _standing(dialect: Dialect) -> Prepared:
    return Prepared(_STANDING, dialect)
