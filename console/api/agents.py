"""Routes for agents."""

from fastapi import APIRouter

from console.api.deps import Body, KernelDep, Now, PeerDep
from console.api.views import Json, agent_view
from console.errors import ConsoleError
from runtime import agents, deployments
from runtime.agents import Agent
from runtime.people.roster import Roster
from runtime.record.batch import Tx

router = APIRouter(prefix="/agents")


class Registration(Body):
    """A new agent."""

    name: str
    traits: list[str]
    owner: str


@router.post("")
async def register(kernel: KernelDep, now: Now, peer: PeerDep, body: Registration) -> Json:
    """Register an agent; whoever is named as its owner, the record says who named them.

    The owner is a person who counts: one misspelt would let the real owner approve what the agent does (F7).
    """
    actor = f"unix:{peer.user}"

    def write(tx: Tx) -> Agent:
        _need_person(kernel.policies.current(tx.conn).roster, body.owner)
        return agents.register(tx, body.name, body.traits, owner=body.owner, now=now, actor=actor)

    agent = await kernel.ledger.write(write)
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


def _need_person(roster: Roster, owner: str) -> None:
    if roster.person_of(owner) not in roster.persons:
        expected = f"a person who is enrolled: {', '.join(roster.persons)}"
        raise ConsoleError("--owner", got=owner, expected=expected, next_step="handrail person list")
