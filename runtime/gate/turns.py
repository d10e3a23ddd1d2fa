"""The next moment at which time alone makes the world of a run another one.

Everything in a world that depends on the moment has its turn here: the ends of the run and of stops, the
begins and ends of grants. (Whether the run's lease has expired is asked anew at each action.) A turn that is
too early costs a reading; one that is missing would let something pass that has ended.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from sqlalchemy import Connection, Dialect, bindparam, case, func, select

from runtime.freeze_rules import Stop
from runtime.moments import utc_moment
from runtime.record.statements import Prepared
from runtime.tables.grants import GrantRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_NEVER = datetime.max.replace(tzinfo=UTC)
_NEXT = select(
    func.min(case((_GRANT.c.valid_from > bindparam("now"), _GRANT.c.valid_from), else_=_GRANT.c.valid_until))
).where(_GRANT.c.deployment == bindparam("deployment"), _GRANT.c.valid_until > bindparam("now"))


def next_turn(
    conn: Connection,
    deployment: str,
    *,
    until: datetime | None,
    stops: Iterable[Stop],
    now: datetime,
) -> datetime:
    """Return the next turn after `now`; `now` itself where it cannot be told.

    Args:
        conn: what the world was read from.
        deployment: whose grants count; revoked ones give turns too, which does no harm.
        until: the moment up to which the run may act.
        stops: those that stand now.
        now: the moment at which the world was read.
    """
    row = _next(conn.dialect).run(conn, {"deployment": deployment, "now": now}).fetchone()
    turns = [until, *(stop.expires_at for stop in stops)]
    try:
        turns.append(utc_moment(row[0]) if row and row[0] else None)
    except ValueError:  # written by hand, in a form of its own
        return now
    return min((turn for turn in turns if turn is not None and turn > now), default=_NEVER)


@lru_cache(maxsize=2)
def _next(dialect: Dialect) -> Prepared:
    return Prepared(_NEXT, dialect)
