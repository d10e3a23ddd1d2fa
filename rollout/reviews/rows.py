"""Reading the rows of reviews: one obligation, lists of them, and which packet was printed for one."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, or_, select

from rollout.errors import RolloutError
from rollout.reviews.kinds import OWED
from runtime.tables.reviews import ObligationRow, PacketRow

_OBLIGATION = ObligationRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_PACKET = PacketRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

AHEAD: Final = timedelta(hours=24)
"""How long before a review is due its packet is printed, so that it can be closed in time."""


class ReviewError(RolloutError):
    """A review that does not exist, or whose packet cannot be printed, read or closed."""


def obligation_of(conn: Connection, obligation: str) -> ObligationRow:
    """Return an owed review.

    Raises:
        ReviewError: there is none of this id.
    """
    row = conn.execute(select(_OBLIGATION).where(_OBLIGATION.c.id == obligation)).mappings().one_or_none()
    if row is None:
        raise ReviewError(f"no review {obligation}; `handrail review list` shows those there are")
    return ObligationRow(**row)


def packet_row(conn: Connection, obligation: str) -> PacketRow | None:
    """Return which packet was printed last; None: none was."""
    row = conn.execute(select(_PACKET).where(_PACKET.c.obligation == obligation)).mappings().one_or_none()
    return None if row is None else PacketRow(**row)


def listed(
    conn: Connection, *, agent: str | None = None, past: bool = False, limit: int = 1000
) -> list[tuple[ObligationRow, datetime | None]]:
    """Return what is owed, the first due first, each with when its packet was printed.

    Args:
        conn: a view of the database.
        agent: only this agent's.
        past: also what was closed, or became void.
        limit: how many at most.
    """
    query = select(_OBLIGATION, _PACKET.c.made_at).outerjoin(
        _PACKET, _PACKET.c.obligation == _OBLIGATION.c.id
    )
    if agent is not None:
        query = query.where(_OBLIGATION.c.agent == agent)
    if not past:
        query = query.where(_OBLIGATION.c.state.in_(OWED))
    rows = conn.execute(query.order_by(_OBLIGATION.c.due_at, _OBLIGATION.c.id).limit(limit)).mappings()
    names = _OBLIGATION.c.keys()
    return [(ObligationRow(**{name: row[name] for name in names}), row["made_at"]) for row in rows]


def to_print(conn: Connection, *, now: datetime, limit: int) -> list[str]:
    """Return the reviews whose packet must be printed now: due soon, or printed before it was due."""
    last = _PACKET.c.made_at
    query = (
        select(_OBLIGATION.c.id)
        .outerjoin(_PACKET, _PACKET.c.obligation == _OBLIGATION.c.id)
        .where(
            _OBLIGATION.c.state.in_(OWED),
            _OBLIGATION.c.period_start <= now,
            _OBLIGATION.c.due_at <= now + AHEAD,
            or_(last.is_(None), and_(_OBLIGATION.c.due_at <= now, last < _OBLIGATION.c.due_at)),
        )
    )
    return list(conn.execute(query.order_by(_OBLIGATION.c.due_at, _OBLIGATION.c.id).limit(limit)).scalars())


def before(conn: Connection, obligation: ObligationRow) -> ObligationRow | None:
    """Return the review of the same kind for the period before; None for the first."""
    query = select(_OBLIGATION).where(
        _OBLIGATION.c.deployment == obligation.deployment,
        _OBLIGATION.c.kind == obligation.kind,
        _OBLIGATION.c.period_start < obligation.period_start,
    )
    row = conn.execute(query.order_by(_OBLIGATION.c.period_start.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else ObligationRow(**row)
