"""Kill: the stop that also takes power away. On the signed word of anyone enrolled, at the next action.

It is a freeze, signed as one, and every write of what it stops is dropped to tier 0 in the same unit. Ending
the boxes is left to whoever called: the record must not wait for an engine, and nothing needs it, since a
frozen agent is denied everything.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, select

from profiles.effects import Effect, Tier
from runtime.demotion import DemotionCause, drop
from runtime.freeze import freeze
from runtime.freeze_rules import Freeze, Scope, Stop
from runtime.grant_rows import KEPT
from runtime.people.roster import Refused, Roster
from runtime.people.statement import SignedStatement
from runtime.record.batch import Tx
from runtime.runs.states import RunState
from runtime.tables.agents import DeploymentRow, RunRow
from runtime.tables.grants import GrantRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Killed:
    """What a kill stopped.

    Attributes:
        stop: the freeze.
        runs: the runs that have not ended; their boxes are still there.
        demoted: the deployments that lost writes.
    """

    stop: Stop
    runs: tuple[str, ...]
    demoted: tuple[str, ...]


def kill(
    tx: Tx, order: Freeze, signed: SignedStatement, *, roster: Roster, now: datetime
) -> Killed | Refused:
    """Freeze what the order names, and drop all of it to tier 0.

    Args:
        tx: the unit.
        order: the freeze.
        signed: the word of anyone enrolled over `order.matter`.
        roster: who counts now.
        now: the present moment.
    """
    stop = freeze(tx, order, signed, roster=roster, now=now)
    if isinstance(stop, Refused):
        return stop
    demoted = [
        deployment
        for deployment in _with_writes(tx.conn, order)
        if drop(tx, deployment, Tier.OBSERVE, DemotionCause.KILL, actor=stop.owner, now=now)
    ]
    return Killed(stop, _unfinished(tx.conn, order), tuple(demoted))


def _with_writes(conn: Connection, order: Freeze) -> tuple[str, ...]:
    query = (
        select(_GRANT.c.deployment)
        .distinct()
        .outerjoin(_DEPLOYMENT, _DEPLOYMENT.c.digest == _GRANT.c.deployment)
        .where(KEPT, _GRANT.c.effect != Effect.READ.value)
    )
    chosen = _chosen(order, agent=_DEPLOYMENT.c.agent, deployment=_GRANT.c.deployment)
    return tuple(conn.execute(query.where(*chosen).order_by(_GRANT.c.deployment)).scalars())


def _unfinished(conn: Connection, order: Freeze) -> tuple[str, ...]:
    query = select(_RUN.c.id).where(_RUN.c.state != RunState.ENDED.value)
    chosen = _chosen(order, agent=_RUN.c.agent, deployment=_RUN.c.deployment)
    return tuple(conn.execute(query.where(*chosen).order_by(_RUN.c.id)).scalars())


def _chosen(
    order: Freeze, *, agent: ColumnElement[str], deployment: ColumnElement[str]
) -> tuple[ColumnElement[bool], ...]:
    match order.scope:
        case Scope.ALL:
            return ()
        case Scope.AGENT:
            return (agent == order.target,)
        case Scope.DEPLOYMENT:
            return (deployment == order.target,)
