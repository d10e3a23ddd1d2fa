"""What voids an open request, whoever did it: power that was taken away beats power that is asked for (F20).

Rows tell at once what another unit of the same transaction did; the record tells of rows that were removed.
"""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import ColumnElement, Connection, select

from rollout.promotions.frozen import Frozen
from runtime import agents, deployments
from runtime.agents import AgentError
from runtime.deployments import DeploymentError
from runtime.freeze_rules import Scope
from runtime.moments import utc_text
from runtime.people.roster import Roster
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.suspension_rules import EVERYTHING
from runtime.tables.grants import FreezeRow, GrantRow
from runtime.tables.log import LogEntryRow
from runtime.tables.suspensions import SuspensionRow

_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SUSPENSION = SuspensionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_FREEZE = FreezeRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_LOG = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

_TAKEN: Final[Mapping[EventKind, str]] = {
    EventKind.GRANT_REVOKED: "power of this deployment was revoked",
    EventKind.DEPLOYMENT_DEMOTED: "the deployment was demoted",
    EventKind.DEPLOYMENT_SUSPENDED: "the deployment was suspended",
    EventKind.DEPLOYMENT_OUTDATED: "the rules of the business have changed",
    EventKind.WRITES_SUSPENDED: "writes were suspended",
}


def overtaken(conn: Connection, frozen: Frozen, roster: Roster) -> str | None:
    """Return what has happened since the evidence was frozen that voids the request; None if nothing has."""
    looks: tuple[Callable[[Connection, Frozen], str | None], ...] = (_taken, _stopped, _recorded)
    replaced = _replaced(conn, frozen, roster)
    return replaced or next((found for look in looks if (found := look(conn, frozen))), None)


def _replaced(conn: Connection, frozen: Frozen, roster: Roster) -> str | None:
    """Return whether it is another deployment, or another owner's agent, by now."""
    try:
        present = deployments.newest(conn, frozen.agent)
        owner = agents.as_registered(conn, frozen.agent).owner
    except (AgentError, DeploymentError) as error:
        return str(error)
    if present.digest != frozen.deployment:
        return f"deployment {present.digest[:12]} has taken its place"
    if present.parts.profile != frozen.profile:
        return f"its profile is {present.parts.profile[:12]} now"
    same = roster.person_of(owner) == roster.person_of(frozen.owner)
    return None if same else f"the agent belongs to {owner} now"


def _taken(conn: Connection, frozen: Frozen) -> str | None:
    """Return whether power of the deployment was taken away, as the rows tell."""
    revoked = select(_GRANT.c.id).where(
        _GRANT.c.deployment == frozen.deployment, _GRANT.c.revoked_at >= frozen.valid_from
    )
    suspended = select(_SUSPENSION.c.id).where(
        _SUSPENSION.c.deployment.in_([frozen.deployment, EVERYTHING]),
        _SUSPENSION.c.set_at >= frozen.valid_from,
    )
    if conn.execute(revoked.limit(1)).first():
        return _TAKEN[EventKind.GRANT_REVOKED]
    return _TAKEN[EventKind.WRITES_SUSPENDED] if conn.execute(suspended.limit(1)).first() else None


def _stopped(conn: Connection, frozen: Frozen) -> str | None:
    """Return whether a freeze was set, as the rows tell; one that stood before is the gates' business."""
    query = select(_FREEZE.c.id, _FREEZE.c.scope, _FREEZE.c.target).where(
        _FREEZE.c.set_at >= frozen.valid_from
    )
    return next(
        (f"freeze {row.id} was set" for row in conn.execute(query) if _hits(frozen, row.scope, row.target)),
        None,
    )


def _recorded(conn: Connection, frozen: Frozen) -> str | None:
    """Return the same as the record tells it, whatever became of the rows."""
    query = select(_LOG.c.leaf).where(_LOG.c.at >= utc_text(frozen.valid_from), _relevant(frozen))
    for row in conn.execute(query.order_by(_LOG.c.seq)):
        leaf = decode_leaf(row.leaf)
        if leaf.kind is not EventKind.FREEZE_SET:
            return _TAKEN[leaf.kind]
        if _hits(frozen, leaf.data.get("scope"), leaf.data.get("target")):
            return _set_by(leaf)
    return None


def _relevant(frozen: Frozen) -> ColumnElement[bool]:
    kinds = [kind.value for kind in _TAKEN]
    of_it = _LOG.c.kind.in_(kinds) & _LOG.c.deployment.in_([frozen.deployment, EVERYTHING])
    found: ColumnElement[bool] = of_it | (_LOG.c.kind == EventKind.FREEZE_SET.value)
    return found


def _set_by(leaf: Leaf) -> str:
    return f"freeze {leaf.subject} was set"


def _hits(frozen: Frozen, scope: object, target: object) -> bool:
    """Whether a freeze stops this deployment; an unknown scope stops everything."""
    targets = {Scope.AGENT.value: frozen.agent, Scope.DEPLOYMENT.value: frozen.deployment}
    return str(scope) not in targets or targets[str(scope)] == target
