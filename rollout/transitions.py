"""Transitions: going back to an earlier deployment, and saying that the rules of the business have changed.

Any difference is a new deployment at tier 0 (`runtime.supersede`). Going back is the one way to have earlier
grants again: within the window, not after a fall for cause, on one manager's word, and never longer than they
had. Beyond the window an earlier deployment can be taken up again too, at tier 0, with the whole way to go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from profiles.policy import Policy, Role
from runtime import deployments
from runtime.canonical import JsonValue
from runtime.clock import NewId
from runtime.demotion import DemotionCause
from runtime.deployments import SINCE, Deployment, DeploymentError
from runtime.gate.actions import digest_of
from runtime.grant_moves import restorable, restore
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.moments import utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.supersede import supersede
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import suspend
from runtime.tables.agents import DeploymentRow
from runtime.tables.grants import GrantRow

_DEPLOYMENT = DeploymentRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_GRANT = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Return:
    """Going back, as it is shown and signed.

    Attributes:
        agent: whose deployment.
        owner: who owns the agent, and never says yes to it.
        before: digest of the present deployment.
        to: digest of the one that is returned to.
        orders: the grants that it gives back, one signature each.
        bare: why it gives none back; None if it does, or if there were none.
    """

    agent: str
    owner: str
    before: str
    to: str
    orders: tuple[Order, ...]
    bare: str | None

    def matter(self, reason: str) -> Matter:
        """Return what is signed beside the grants."""
        body: dict[str, JsonValue] = {
            "agent": self.agent,
            "before": self.before,
            "to": self.to,
            "grants": [order.id for order in self.orders],
            "reason": reason,
        }
        return Matter(StatementType.ROLLBACK, self.to, digest_of(body), body)


@dataclass(frozen=True, slots=True)
class Returned:
    """The earlier deployment is the present one again."""

    to: str
    person: str
    grants: tuple[str, ...]


def plan_return(
    conn: Connection,
    agent: str,
    owner: str,
    to: str,
    *,
    requester: str,
    roster: Roster,
    new_id: NewId,
    now: datetime,
) -> Return:
    """Work out what going back to a deployment gives; nothing is changed.

    Raises:
        DeploymentError: it is not an earlier deployment of this agent.
    """
    past = deployments.history(conn, agent)
    there = next((one for one in past if one.digest == to), None)
    if there is None or past[0].digest == to:
        raise DeploymentError(f"deployment {to[:12]} is no earlier deployment of {agent}")
    bare = _bare(conn, there, roster.policy, now)
    earlier = () if bare else restorable(conn, to, roster=roster, now=now)
    orders = tuple(
        Order(
            id=new_id("grant"),
            deployment=to,
            effect=order.effect,
            valid_from=now,
            valid_until=order.valid_until,
            requester=requester,
            owner=owner,
            restores=order.id,
        )
        for order in earlier
    )
    return Return(agent, owner, past[0].digest, to, orders, bare)


def go_back(
    tx: Tx,
    plan: Return,
    reason: str,
    signed: SignedStatement,
    words: Mapping[str, SignedStatement],
    *,
    roster: Roster,
    now: datetime,
) -> Returned | Refused:
    """Make an earlier deployment the present one, on one rollout manager's word; all or nothing.

    The caller raises on a refusal, so that the unit leaves nothing behind.

    Args:
        tx: the unit.
        plan: as it was shown and signed.
        reason: why, as signed.
        signed: the manager's ROLLBACK over `plan.matter(reason)`.
        words: for each order's id the same manager's ROLLBACK over `order.matter(ROLLBACK, reason=reason)`.
        roster: who counts now.
        now: the present moment.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    if (
        refused := about(said, plan.matter(reason))
        or _may_return(said, plan, roster)
        or _moved(tx.conn, plan)
    ):
        return refused
    if plan.orders and (bare := _bare(tx.conn, deployments.find(tx.conn, plan.to), roster.policy, now)):
        return Refused(RefusalCode.EXPIRED, bare)
    if refused := consume(tx, said):
        return refused
    supersede(tx, plan.agent, plan.to, actor=said.person, now=now)
    began = deployments.begins(tx.conn, plan.agent, now=now)
    tx.conn.execute(update(DeploymentRow).where(_DEPLOYMENT.c.digest == plan.to).values(restored_at=began))
    for order in plan.orders:
        missing = Refused(RefusalCode.MISSING, f"grant {order.id} is not signed")
        given = words.get(order.id)
        made = missing if given is None else restore(tx, order, given, roster=roster, now=now)
        if not isinstance(made, Issued):
            return made
    _record_return(tx, plan, said, began)
    return Returned(plan.to, said.person, tuple(order.id for order in plan.orders))


def matter_of_outdated(agent: str, deployment: str, reason: str) -> Matter:
    """Return what is signed to say that a deployment's rules are out of date."""
    body: dict[str, JsonValue] = {"agent": agent, "deployment": deployment, "reason": reason}
    return Matter(StatementType.OUTDATED, deployment, digest_of(body), body)


def outdate(
    tx: Tx,
    agent: str,
    deployment: str,
    reason: str,
    signed: SignedStatement,
    *,
    roster: Roster,
    now: datetime,
) -> Verified | Refused:
    """Suspend the writes of a deployment whose rules are out of date, on the word of anyone enrolled (R-37).

    Nothing ends it but another deployment.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    if refused := about(said, matter_of_outdated(agent, deployment, reason)) or consume(tx, said):
        return refused
    suspend(
        tx,
        deployment,
        effect=None,
        code=SuspensionCode.OUTDATED,
        subject=said.id,
        reason=f"{said.person} said that the rules of the business have changed",
        now=now,
    )
    tx.append(
        Event(
            kind=EventKind.DEPLOYMENT_OUTDATED,
            at=now,
            actor=said.person,
            agent=agent,
            deployment=deployment,
            subject=deployment,
            data={"statement": said.id},
            payload={"reason": reason},
        )
    )
    return said


def _bare(conn: Connection, there: Deployment, policy: Policy, now: datetime) -> str | None:
    """Return why going back gives no grants: the window is over, or it fell for cause."""
    replaced = _replaced_at(conn, there)
    days = policy.evidence.rollback_days
    if replaced is None or now > replaced + timedelta(days=days):
        return f"it was replaced more than {days} days ago: it starts at tier 0"
    query = select(_GRANT.c.revoke_cause).where(
        _GRANT.c.deployment == there.digest, _GRANT.c.revoked_at.is_not(None)
    )
    causes = {row.revoke_cause for row in conn.execute(query)} - {DemotionCause.SUPERSEDED.value}
    return f"it lost grants for cause ({', '.join(sorted(causes))}): it starts at tier 0" if causes else None


def _replaced_at(conn: Connection, there: Deployment) -> datetime | None:
    own = select(SINCE).where(_DEPLOYMENT.c.digest == there.digest).scalar_subquery()
    query = select(_DEPLOYMENT.c.created_at, _DEPLOYMENT.c.restored_at).where(
        _DEPLOYMENT.c.agent == there.parts.agent, own < SINCE
    )
    began = [row.restored_at or row.created_at for row in conn.execute(query)]
    return min(began, default=None)


def _may_return(said: Verified, plan: Return, roster: Roster) -> Refused | None:
    manager = Role.ROLLOUT_MANAGER in roster.roles_of(said.person)
    if not manager or said.person == roster.person_of(plan.owner):
        detail = "going back takes the role rollout-manager, and not the agent's owner"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None


def _moved(conn: Connection, plan: Return) -> Refused | None:
    """Return why the plan does not fit what is there, whoever made it: it may come from outside."""
    present = deployments.newest(conn, plan.agent).digest
    if present != plan.before:
        detail = f"the present deployment is {present[:12]}, not {plan.before[:12]} any more: ask again"
        return Refused(RefusalCode.OTHER_MATTER, detail)
    if plan.to == present or plan.to not in deployments.digests(conn, plan.agent):
        detail = f"deployment {plan.to[:12]} is no earlier deployment of {plan.agent}"
        return Refused(RefusalCode.OTHER_MATTER, detail)
    return None


def _record_return(tx: Tx, plan: Return, said: Verified, began: datetime) -> None:
    tx.append(
        Event(
            kind=EventKind.DEPLOYMENT_RESTORED,
            at=tx.now,
            actor=said.person,
            agent=plan.agent,
            deployment=plan.to,
            subject=plan.to,
            data={
                "before": plan.before,
                "grants": [order.id for order in plan.orders],
                "ends": [utc_text(order.valid_until) for order in plan.orders],
                "statement": said.id,
                "restored_at": utc_text(began),
            },
        )
    )
