"""The route that lists what may be carried out now."""

from fastapi import APIRouter

from console.api.deps import KernelDep, Now
from console.api.views import Json, standing_view
from runtime import agents, deployments, grants

router = APIRouter(prefix="/grants")


@router.get("")
def standing(kernel: KernelDep, now: Now, agent: str | None = None) -> Json:
    """List the grants that are in their time, each with whether its signed causes hold."""
    found: list[Json] = []
    with kernel.ledger.read() as connection:
        roster = kernel.policies.current(connection).roster
        names = [agent] if agent else [one.name for one in agents.everyone(connection)]
        for name in names:
            for made in deployments.history(connection, name):
                rows = grants.standing(connection, made.digest, now=now, roster=roster)
                found += [standing_view(row, name, made.digest) for row in rows]
    return {"grants": found}
