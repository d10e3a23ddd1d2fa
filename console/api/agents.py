"""Routes for agents."""

from fastapi import APIRouter

from console.api.deps import Body, KernelDep, Now, PeerDep
from console.api.views import Json, agent_view
from runtime import agents, deployments

router = APIRouter(prefix="/agents")


class Registration(Body):
    """A new agent."""

    name: str
    traits: list[str]
    owner: str


@router.post("")
async def register(kernel: KernelDep, now: Now, peer: PeerDep, body: Registration) -> Json:
    """Register an agent; whoever is named as its owner, the record says who named them."""
    actor = f"unix:{peer.user}"
    agent = await kernel.ledger.write(
        lambda tx: agents.register(tx, body.name, body.traits, owner=body.owner, now=now, actor=actor)
    )
    return {"agent": agent_view(agent, [])}


@router.get("")
def everyone(kernel: KernelDep) -> Json:
    """List all agents."""
    with kernel.ledger.read() as connection:
        return {"agents": [agent_view(agent, []) for agent in agents.everyone(connection)]}


@router.get("/{name}")
def show(kernel: KernelDep, name: str) -> Json:
    """Show one agent with its deployments."""
    with kernel.ledger.read() as connection:
        agent = agents.find(connection, name)
        return {"agent": agent_view(agent, deployments.history(connection, name))}
