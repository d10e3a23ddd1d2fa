"""Routes for transitions: going back to an earlier deployment, and saying that the rules have changed."""

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from console.api.deps import Body, KernelDep, Now, PeerDep, Said, believed
from console.api.views import Json, order_view
from profiles.effects import Effect
from rollout import transitions
from rollout.transitions import Return
from runtime import agents, deployments
from runtime.clock import new_id
from runtime.grant_rules import Order
from runtime.record.batch import Tx

router = APIRouter(prefix="/agents/{agent}")
_REASON = Field(min_length=1, max_length=2000)


class Restored(Body):
    """One grant as it was shown; whose it is, and who asked, the server knows."""

    id: str
    effect: Effect
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    restores: str


class Back(Body):
    """A manager's words for going back."""

    before: str
    to: str
    orders: tuple[Restored, ...]
    reason: str = _REASON
    statement: Said
    words: Mapping[str, Said]


class Outdated(Body):
    """Anyone's word that a deployment's rules are out of date."""

    deployment: str
    reason: str = _REASON
    statement: Said


@router.get("/returns/{deployment}")
def plan(kernel: KernelDep, peer: PeerDep, now: Now, agent: str, deployment: str) -> Json:
    """Show what going back to a deployment would give; nothing is changed."""
    with kernel.ledger.read() as connection:
        owner = agents.as_registered(connection, agent).owner
        found = transitions.plan_return(
            connection,
            agent,
            owner,
            deployments.find(connection, deployment).digest,
            requester=peer.user,
            roster=kernel.policies.current(connection).roster,
            new_id=new_id,
            now=now,
        )
    return {"return": return_view(found)}


@router.post("/returns")
async def go_back(kernel: KernelDep, peer: PeerDep, agent: str, body: Back) -> Json:
    """Make an earlier deployment the present one."""

    def unit(tx: Tx) -> transitions.Returned:
        owner = agents.as_registered(tx.conn, agent).owner
        orders = tuple(_order(one, body.to, peer.user, owner) for one in body.orders)
        shown = Return(agent, owner, body.before, body.to, orders, None)
        words = {name: said.signed() for name, said in body.words.items()}
        roster = kernel.policies.current(tx.conn).roster
        signed = body.statement.signed()
        return believed(transitions.go_back(tx, shown, body.reason, signed, words, roster=roster, now=tx.now))

    done = await kernel.ledger.write(unit)
    return {"agent": agent, "deployment": done.to, "person": done.person, "grants": list(done.grants)}


@router.post("/outdated")
async def outdate(kernel: KernelDep, agent: str, body: Outdated) -> Json:
    """Suspend the writes of a deployment whose rules are out of date."""

    def unit(tx: Tx) -> str:
        deployment = deployments.find(tx.conn, body.deployment).digest
        roster = kernel.policies.current(tx.conn).roster
        signed = body.statement.signed()
        said = transitions.outdate(tx, agent, deployment, body.reason, signed, roster=roster, now=tx.now)
        return believed(said).person

    person = await kernel.ledger.write(unit)
    return {"agent": agent, "deployment": body.deployment, "person": person}


def return_view(found: Return) -> Json:
    """Return a plan as it is shown and signed."""
    return {
        "agent": found.agent,
        "owner": found.owner,
        "before": found.before,
        "to": found.to,
        "orders": [order_view(order) | {"restores": order.restores} for order in found.orders],
        "bare": found.bare,
    }


def _order(one: Restored, deployment: str, requester: str, owner: str) -> Order:
    return Order(
        id=one.id,
        deployment=deployment,
        effect=one.effect,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        requester=requester,
        owner=owner,
        restores=one.restores,
    )
