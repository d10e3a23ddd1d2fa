"""Routes for review gates: what each says about a promotion, and what a manager accepts in words."""

import asyncio
from datetime import datetime
from functools import partial

from fastapi import APIRouter
from sqlalchemy import Connection

from console.api.deps import Body, KernelDep, Now, Said, believed
from console.api.views import Json, moment
from console.errors import BlockedError
from console.kernel import Kernel
from profiles.effects import Effect
from rollout.evidence import acceptance
from rollout.evidence.model import AuditState, Evidence
from rollout.gates.basis import VERIFIED_WITHIN
from rollout.gates.evaluate import evaluate, overall
from rollout.gates.model import GateId, GateResult
from rollout.promotions import rows
from rollout.promotions.applying import Standing, examine
from rollout.promotions.assessor import Assessor
from rollout.promotions.frozen import gate_json
from runtime import deployments, grants
from runtime.people.roster import Roster
from runtime.record.batch import Tx

router = APIRouter(prefix="/gates")


class Acceptance(Body):
    """A manager's word for one deployment."""

    deployment: str
    statement: Said


@router.get("/{agent}")
async def status(kernel: KernelDep, now: Now, agent: str, effect: Effect | None = None) -> Json:
    """Say for each gate what is there, what is missing, and the earliest moment it can pass."""
    audit = await asyncio.to_thread(partial(kernel.audit.state, now, fresh=VERIFIED_WITHIN))
    return await asyncio.to_thread(_status, kernel, agent, effect, audit, now)


@router.post("/{agent}/acceptances")
async def accept(kernel: KernelDep, agent: str, body: Acceptance) -> Json:
    """Take a signed acceptance of a gate that cannot be measured."""

    def unit(tx: Tx) -> str:
        present = deployments.newest(tx.conn, agent).digest
        if present != body.deployment:
            raise BlockedError("the agent has another deployment by now", got=body.deployment[:12])
        roster = kernel.policies.current(tx.conn).roster
        return believed(acceptance.accept(tx, body.statement.signed(), present, roster=roster))

    person = await kernel.ledger.write(unit)
    days = acceptance.LASTING.days
    return {"agent": agent, "deployment": body.deployment, "person": person, "days": days}


def _status(kernel: Kernel, agent: str, wanted: Effect | None, audit: AuditState, now: datetime) -> Json:
    assessor = kernel.assess(kernel.policies, lambda _now: audit)
    with kernel.ledger.read() as connection:
        roster = kernel.policies.current(connection).roster
        deployment = deployments.newest(connection, agent)
        granted = grants.granted(connection, deployment.digest, now=now, roster=roster)
        effect = wanted or _next(deployment.profile.effects, granted, agent)
        evidence = assessor.collect(connection, deployment.digest, effect, now=now)
        results = _results(kernel, connection, evidence, assessor, roster)
    return _view(evidence, results)


def _results(
    kernel: Kernel, connection: Connection, evidence: Evidence, assessor: Assessor, roster: Roster
) -> tuple[GateResult, ...]:
    """Return what the gates say, with the words of people where there is an open request."""
    request = rows.open_for(connection, evidence.deployment, evidence.effect)
    if request is not None:
        found, alone, now = rows.find(connection, request), kernel.single_user, evidence.at
        standing = examine(connection, found, assessor=assessor, roster=roster, single_user=alone, now=now)
        if isinstance(standing, Standing):
            return standing.gates
    return evaluate(evidence, approvals=None, now=evidence.at)


def _next(used: frozenset[Effect], granted: frozenset[Effect], agent: str) -> Effect:
    """Return the lowest class that the profile uses and that is not granted yet."""
    for effect in Effect:
        if effect in used and effect not in granted and effect is not Effect.READ:
            return effect
    raise BlockedError(
        f"agent {agent}: everything that its profile uses is granted",
        next_step=f"handrail gates status {agent} --effect CLASS",
    )


def _view(evidence: Evidence, results: tuple[GateResult, ...]) -> Json:
    return {
        "agent": evidence.agent,
        "deployment": evidence.deployment,
        "effect": evidence.effect.value,
        "risk": evidence.risk.label,
        "policy": evidence.policy,
        "at": moment(evidence.at),
        "evidence": evidence.as_json(),
        "digest": evidence.digest,
        "gates": [gate_json(one) for one in results],
        "outcome": overall(results, without={GateId.G12}).value,
    }
