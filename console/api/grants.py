"""The route that lists what may be carried out now."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy import Connection

from console.api.deps import KernelDep, Now
from console.api.power import suspension_view
from console.api.views import Json, standing_view
from runtime import agents, deployments, grants, suspensions
from runtime.people.roster import Roster

router = APIRouter(prefix="/grants")


@router.get("")
def standing(kernel: KernelDep, now: Now, agent: str | None = None) -> Json:
    """List the grants that are in their time, each with whether its causes hold, and what suspends it."""
    with kernel.ledger.read() as connection:
        roster = kernel.policies.current(connection).roster
        names = [agent] if agent else [one.name for one in agents.everyone(connection)]
        found = [
            view
            for name in names
            for digest in deployments.digests(connection, name)
            for view in _of(connection, name, digest, roster=roster, now=now)
        ]
    return {"grants": found}


def _of(conn: Connection, agent: str, deployment: str, *, roster: Roster, now: datetime) -> list[Json]:
    rows = grants.standing(conn, deployment, now=now, roster=roster)
    if not rows:
        return []
    stopped = suspensions.standing(conn, deployment, now=now, roster=roster)
    return [
        standing_view(
            row,
            agent,
            deployment,
            now=now,
            suspended=[suspension_view(one) for one in stopped if row.effect in one.effects],
        )
        for row in rows
    ]
