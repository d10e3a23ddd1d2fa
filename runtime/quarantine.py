"""Quarantine: an agent that must not act at all is frozen by Handrail, and its deployment drops to tier 0.

It happens in the unit that found the cause. Only an operator's signed lift ends the freeze, and what was
dropped takes the whole way again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from profiles.effects import Tier
from runtime.clock import NewId
from runtime.demotion import DemotionCause, drop
from runtime.freeze import standing_stops, stop
from runtime.freeze_rules import Freeze, Scope
from runtime.people.roster import Roster
from runtime.record.batch import Tx

OWNER: Final = "quarantine"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """What a quarantine changed.

    Attributes:
        freeze: the new freeze; None if the agent was in quarantine already.
        revoked: the grants that were revoked.
    """

    freeze: str | None
    revoked: tuple[str, ...]


def quarantine(
    tx: Tx,
    *,
    agent: str,
    deployment: str,
    cause: DemotionCause,
    actor: str,
    roster: Roster,
    new_id: NewId,
    now: datetime,
) -> Quarantined:
    """Freeze an agent and drop its deployment to tier 0; once, however often the cause is seen.

    Args:
        tx: the unit that found the cause.
        agent: the agent's name.
        deployment: the deployment that showed the cause.
        cause: why.
        actor: the person, or the part of Handrail.
        roster: who counts now.
        new_id: makes the freeze's id.
        now: the present moment.
    """
    revoked = drop(tx, deployment, Tier.OBSERVE, cause, actor=actor, now=now)
    if _is_in_quarantine(tx.conn, agent, roster, now):
        return Quarantined(None, revoked)
    order = Freeze(new_id("frz"), Scope.AGENT, agent, f"quarantine: {cause}")
    return Quarantined(stop(tx, order, owner=OWNER, now=now).id, revoked)


def _is_in_quarantine(conn: Connection, agent: str, roster: Roster, now: datetime) -> bool:
    return any(
        (one.owner, one.scope, one.target, one.expires_at) == (OWNER, Scope.AGENT.value, agent, None)
        for one in standing_stops(conn, now=now, roster=roster)
    )
