"""Whether a deployment may be launched at all. Read in the transaction that records the request.

A run of a frozen deployment, or of one without its `read` grant, would be denied everything it tries. So
nothing is made for it, and whoever asked hears why at once.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from runtime import freeze, grants
from runtime.deployments import Deployment
from runtime.freeze_rules import Stop
from runtime.grant_rules import effective_tier
from runtime.people.roster import Roster
from runtime.runs.states import RunError


def check_permitted(conn: Connection, deployment: Deployment, *, now: datetime, roster: Roster) -> None:
    """Refuse a launch that could do nothing.

    Args:
        conn: a fresh view of the database.
        deployment: what is to run.
        now: the present moment.
        roster: who counts now.

    Raises:
        RunError: the deployment is frozen, or its effective tier is none.
    """
    agent, digest = deployment.parts.agent, deployment.digest
    if stops := freeze.frozen(conn, agent=agent, deployment=digest, now=now, roster=roster):
        raise RunError(f"deployment {digest[:12]} of agent {agent} is frozen: {_told(stops)}")
    effects = grants.granted(conn, digest, now=now, roster=roster)
    if effective_tier(effects, deployment.profile.effects) is None:
        raise RunError(
            f"deployment {digest[:12]} of agent {agent} has no standing `read` grant: all it tries would be "
            f"denied; `handrail grants list --agent {agent}` shows what stands, and a new version of its "
            f"profile begins anew with `handrail deploy create {agent}`"
        )


def _told(stops: Sequence[Stop]) -> str:
    return "; ".join(_told_one(stop) for stop in stops)


def _told_one(stop: Stop) -> str:
    if not stop.id:
        return f"{stop.problem}; run `handrail audit verify`"
    step = f"an operator lifts it with `handrail unfreeze {stop.id} --reason TEXT`"
    return f"{stop.reason or stop.scope} (by {stop.owner}); {step}"
