"""What a deployment may do, and what stands in its way, as a packet tells it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from profiles.effects import Effect
from rollout.reviews.packet.model import Granted
from runtime import suspensions
from runtime.freeze import frozen
from runtime.grant_rules import effective_tier
from runtime.grants import granted, standing
from runtime.people.roster import Roster
from runtime.tables.grants import GrantRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def tier_of(
    conn: Connection, deployment: str, used: Collection[Effect], *, roster: Roster, now: datetime
) -> str:
    """Return the tier in words."""
    tier = effective_tier(granted(conn, deployment, now=now, roster=roster), used)
    return "none, not even reading" if tier is None else f"{int(tier)} ({tier.name.lower()})"


def grants_of(
    conn: Connection, deployment: str, used: Collection[Effect], *, roster: Roster, now: datetime
) -> tuple[Granted, ...]:
    """Return each class that the profile uses with its grant; of several, the one that lasts longest."""
    held = {
        Effect(one.effect): (one.valid_until, one.id)
        for one in sorted(
            standing(conn, deployment, now=now, roster=roster), key=lambda one: (one.valid_until, one.id)
        )
        if one.fault is None
    }
    if Effect.READ not in held and (ended := _ended_read(conn, deployment, now)):
        held[Effect.READ] = ended
    return tuple(
        Granted(effect, *held.get(effect, (None, None)))
        for effect in Effect
        if effect in used or effect in held
    )


def stopped(
    conn: Connection, agent: str, deployment: str, *, roster: Roster, now: datetime
) -> tuple[str, ...]:
    """Return why writes, or all actions, are stopped: a line each."""
    taken = suspensions.standing(conn, deployment, now=now, roster=roster)
    stops = frozen(conn, agent=agent, deployment=deployment, now=now, roster=roster)
    return (
        *(
            f"{'writes' if one.effect is None else one.effect.value}: {one.reason or one.problem} ({one.id})"
            for one in taken
        ),
        *(f"everything: frozen by {one.owner} ({one.id})" for one in stops),
    )


def _ended_read(conn: Connection, deployment: str, now: datetime) -> tuple[datetime, str] | None:
    """Return the end and the id of the last `read` grant that ended; a review can renew it."""
    query = select(_GRANT.c.valid_until, _GRANT.c.id).where(
        _GRANT.c.deployment == deployment,
        _GRANT.c.effect == Effect.READ.value,
        _GRANT.c.revoked_at.is_(None),
        _GRANT.c.valid_until <= now,
    )
    row = conn.execute(query.order_by(_GRANT.c.valid_until.desc(), _GRANT.c.id).limit(1)).first()
    return None if row is None else (row.valid_until, row.id)
