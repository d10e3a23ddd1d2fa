"""Routes for assessments: what a deployment can reach, and people's verdicts on it."""

from fastapi import APIRouter

from console.api.deps import Body, KernelDep, Said, believed
from console.api.views import Json, moment
from console.errors import BlockedError
from rollout.evidence import assessments
from rollout.evidence.assessments import Finding
from rollout.evidence.capabilities import capabilities
from rollout.evidence.model import Assessment
from runtime import deployments
from runtime.deployments import Deployment
from runtime.record.batch import Tx

router = APIRouter(prefix="/assessments")


class Verdict(Body):
    """A signed verdict on one deployment."""

    deployment: str
    statement: Said


@router.get("/{agent}")
def show(kernel: KernelDep, agent: str) -> Json:
    """Show what an agent's present deployment can reach, and what was judged."""
    with kernel.ledger.read() as connection:
        made = deployments.newest(connection, agent)
        roster = kernel.policies.current(connection).roster
        found = assessments.assessment_of(connection, made, roster=roster)
    return _view(made, found)


@router.post("/{agent}")
async def record(kernel: KernelDep, agent: str, body: Verdict) -> Json:
    """Take a signed verdict."""

    def unit(tx: Tx) -> Finding:
        made = deployments.newest(tx.conn, agent)
        if made.digest != body.deployment:
            raise BlockedError("the agent has another deployment by now", got=body.deployment[:12])
        roster = kernel.policies.current(tx.conn).roster
        return believed(assessments.record(tx, body.statement.signed(), made, roster=roster))

    finding = await kernel.ledger.write(unit)
    return {"agent": agent, "deployment": finding.deployment, "what": finding.what, "passed": finding.passed}


def _view(made: Deployment, found: Assessment) -> Json:
    return {
        "agent": made.parts.agent,
        "deployment": made.digest,
        "capabilities": capabilities(made.profile),
        "digest": found.capabilities,
        "blast_radius": found.blast_radius,
        "judged": [
            {"what": kind.value, "passed": one.passed, "person": one.person, "at": moment(one.at)}
            for kind, one in found.judged.items()
        ],
    }
