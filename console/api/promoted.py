"""Views of requests for promotions. Pure; what is signed travels as it is."""

from console.api.views import Json, moment
from rollout.gates.evaluate import overall
from rollout.gates.inputs import Approvals
from rollout.gates.model import Outcome
from rollout.promotions.applying import Applied, Over, Standing
from rollout.promotions.asking import Look
from rollout.promotions.frozen import gate_json
from rollout.promotions.rows import Request
from rollout.promotions.states import PromotionState
from rollout.promotions.voting import Voted


def row_view(request: Request) -> Json:
    """Return a request in a list."""
    frozen = request.frozen
    return {
        "promotion": frozen.promotion,
        "agent": frozen.agent,
        "deployment": frozen.deployment,
        "effect": frozen.effect.value,
        "requester": frozen.requester,
        "state": request.state.value,
        "expires_at": moment(frozen.expires_at),
        "created_at": moment(request.created_at),
        "ended_at": moment(request.ended_at),
    }


def request_view(request: Request, standing: Standing | Over) -> Json:
    """Return a request as it is signed, and how it stands now."""
    frozen = request.frozen
    view: Json = {
        "frozen": frozen.model_dump(mode="json"),
        "basis": frozen.basis,
        "state": request.state.value,
        "created_at": moment(request.created_at),
        "ended_at": moment(request.ended_at),
    }
    return view | _standing_view(standing)


def look_view(look: Look) -> Json:
    """Return what a request made now would freeze."""
    return {
        "state": PromotionState.DRAFT.value,
        "evidence": look.evidence.as_json(),
        "gates": [gate_json(gate) for gate in look.gates],
        "obstacle": look.obstacle,
    }


def voted_view(voted: Voted) -> Json:
    """Return what became of a word."""
    approvals = approvals_view(voted.approvals)
    return {"promotion": voted.promotion, "person": voted.person, "state": voted.state.value} | approvals


def approvals_view(approvals: Approvals) -> Json:
    """Return whose yes counts now, and what is missing."""
    return {"approved_by": list(approvals.persons), "missing": list(approvals.missing)}


def answer_view(answer: Applied | Standing | Over) -> Json:
    """Return what became of an attempt to apply a request."""
    base: Json = {"promotion": answer.frozen.promotion}
    if isinstance(answer, Applied):
        return base | {
            "state": PromotionState.APPLIED.value,
            "grant": answer.frozen.grant,
            "effect": answer.frozen.effect.value,
            "agent": answer.frozen.agent,
            "valid_until": moment(answer.frozen.valid_until),
            "signers": list(answer.signers),
            "gates": [gate_json(gate) for gate in answer.gates],
        }
    return base | {"state": "blocked"} | _standing_view(answer)


def _standing_view(standing: Standing | Over) -> Json:
    if isinstance(standing, Over):
        return {"over": {"state": standing.state.value, "reason": standing.reason}, "ready": False}
    return {
        "ready": standing.ready,
        "gates": [gate_json(gate) for gate in standing.gates],
        "failed": overall(standing.gates) is Outcome.FAIL,
        "exceptions": {gate.value: list(who) for gate, who in standing.exceptions.items()},
        "obstacles": list(standing.obstacles),
    } | approvals_view(standing.approvals)
