"""One deployment takes another's place: what the agent was granted before does not go over to it (R-40).

It only takes power away, so the kernel does it by itself, in the unit that makes one the present deployment.
"""

from datetime import datetime

from sqlalchemy import select

from profiles.effects import Tier
from runtime.demotion import DemotionCause, drop
from runtime.record.batch import Tx
from runtime.tables.agents import DeploymentRow

_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def supersede(tx: Tx, agent: str, present: str, *, actor: str, now: datetime) -> tuple[str, ...]:
    """Take every write from the agent's deployments but the present one; return the ids of their grants.

    Args:
        tx: the unit that makes `present` the present deployment.
        agent: whose deployments.
        present: the digest of the one that takes the others' place.
        actor: who did it.
        now: the present moment.
    """
    query = select(_DEPLOYMENT.c.digest).where(_DEPLOYMENT.c.agent == agent, _DEPLOYMENT.c.digest != present)
    others = tx.conn.execute(query.order_by(_DEPLOYMENT.c.digest)).scalars().all()
    return tuple(
        grant
        for other in others
        for grant in drop(tx, other, Tier.OBSERVE, DemotionCause.SUPERSEDED, actor=actor, now=now)
    )
