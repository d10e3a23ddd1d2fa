"""Kernel values as JSON for clients. Pure; moments in the record's own form."""

from datetime import datetime
from typing import Any

from runtime.agents import Agent
from runtime.deployments import Deployment, Difference
from runtime.drafting import Draft
from runtime.freeze_rules import Stop
from runtime.gate.holds import HoldView
from runtime.gate.tally import Tally
from runtime.grant_rules import Order
from runtime.grants import Standing
from runtime.moments import utc_text
from runtime.people.chain import PolicyState
from runtime.people.changes import Applied, Waiting
from runtime.people.listing import list_people
from runtime.record.reconcile import OpenAction
from runtime.record.trace import Entry
from runtime.runs.states import RunView
from runtime.tables.actions import HoldRow, SuggestionRow

Json = dict[str, Any]


def moment(at: datetime | None) -> str | None:
    """Return a moment in the one textual form; nothing stays nothing."""
    return None if at is None else utc_text(at)


def agent_view(agent: Agent, deployments: list[Deployment]) -> Json:
    """Return an agent with what its traits, and its newest deployment's profile, demand (R-01)."""
    assessed = agent.assessment(deployments[0].profile if deployments else None)
    return {
        "name": agent.name,
        "owner": agent.owner,
        "traits": [trait.value for trait in agent.traits],
        "risk": assessed.risk.label,
        "controls": [control.value for control in (*assessed.controls, *assessed.extra)],
        "cadence": assessed.cadence.words,
        "registered_at": moment(agent.registered_at),
        "deployments": [deployment_view(one) for one in deployments],
    }


def deployment_view(deployment: Deployment) -> Json:
    """Return a deployment with its parts."""
    return {
        "digest": deployment.digest,
        "agent": deployment.parts.agent,
        "created_at": moment(deployment.created_at),
        "parts": deployment.parts.as_json(),
    }


def difference_view(difference: Difference) -> Json:
    """Return one part in which two deployments differ."""
    return {"part": difference.part, "before": difference.before, "after": difference.after}


def run_view(run: RunView) -> Json:
    """Return a run."""
    return {
        "id": run.id,
        "agent": run.agent,
        "deployment": run.deployment,
        "state": run.state.value,
        "operator": run.operator,
        "single_user": run.single_user,
        "task": run.task,
        "box": run.box,
        "runtime": run.runtime.value,
        "setting": run.setting.value,
        "requested_at": moment(run.requested_at),
        "released_at": moment(run.released_at),
        "expires_at": moment(run.expires_at),
        "ended_at": moment(run.ended_at),
        "outcome": run.outcome,
        "exit_code": run.exit_code,
    }


def entry_view(entry: Entry) -> Json:
    """Return one entry of the record with its payload, which is agent text."""
    leaf = entry.leaf
    return {
        "seq": leaf.seq,
        "at": moment(leaf.at),
        "kind": leaf.kind.value,
        "actor": leaf.actor,
        "agent": leaf.agent,
        "deployment": leaf.deployment,
        "run": leaf.run,
        "subject": leaf.subject,
        "data": dict(leaf.data),
        "payload_state": entry.payload_state.value,
        "payload": None if entry.payload is None else dict(entry.payload),
    }


def people_view(state: PolicyState) -> list[Json]:
    """Return everybody who was ever enrolled, with all their keys."""
    return [
        {
            "name": person.name,
            "revoked": not person.counts,
            "groups": list(person.groups),
            "roles": [role.value for role in person.roles],
            "keys": [key.fingerprint for key in person.keys],
        }
        for person in list_people(state)
    ]


def change_view(change: Applied | Waiting) -> Json:
    """Return what became of a change of the policy."""
    if isinstance(change, Applied):
        signers = list(change.signers)
        return {
            "state": "applied",
            "version": change.version,
            "digest": change.digest,
            "signers": signers,
            "bootstrap": change.bootstrap,
        }
    return {
        "state": "waiting",
        "digest": change.digest,
        "missing": list(change.missing),
        "expires_at": moment(change.expires_at),
    }


def stop_view(stop: Stop) -> Json:
    """Return a freeze that stands."""
    return {
        "id": stop.id,
        "scope": stop.scope,
        "target": stop.target,
        "reason": stop.reason,
        "owner": stop.owner,
        "expires_at": moment(stop.expires_at),
        "problem": stop.problem,
    }


def open_view(action: OpenAction) -> Json:
    """Return an action whose end nobody knows."""
    leaf = action.intent
    return {
        "action": leaf.subject,
        "run": leaf.run,
        "agent": leaf.agent,
        "at": moment(leaf.at),
        "cause": action.cause.value,
        "data": dict(leaf.data),
    }


def draft_view(draft: Draft) -> Json:
    """Return a drafted deployment; what upstreams say of themselves is a stranger's words."""
    offers = [
        {"upstream": name, "tool": tool["name"], "description": tool.get("description")}
        for name, offer in sorted(draft.offers.items())
        for tool in offer.tools
    ]
    told = [one.as_json() for one in draft.told]
    return {"digest": draft.parts.digest, "parts": draft.parts.as_json(), "offers": offers, "told": told}


def order_view(order: Order) -> Json:
    """Return a grant as it is signed."""
    return {
        "id": order.id,
        "deployment": order.deployment,
        "effect": order.effect.value,
        "valid_from": moment(order.valid_from),
        "valid_until": moment(order.valid_until),
        "requester": order.requester,
        "owner": order.owner,
    }


def standing_view(
    grant: Standing, agent: str, deployment: str, *, now: datetime, suspended: list[Json]
) -> Json:
    """Return a grant in its time; without a holding cause it is void and permits nothing."""
    state = "void" if grant.fault else "suspended" if suspended else "granted"
    return {
        "id": grant.id,
        "agent": agent,
        "deployment": deployment,
        "effect": grant.effect,
        "state": state,
        "valid_until": moment(grant.valid_until),
        "seconds_left": max(0, int((grant.valid_until - now).total_seconds())),
        "cause": grant.fault.detail if grant.fault else "signed",
        "basis": grant.basis,
        "restores": grant.restores,
        "suspensions": suspended,
    }


def hold_row_view(row: HoldRow) -> Json:
    """Return a held action in a list; its arguments are on its card."""
    return {
        "hold": row.id,
        "run": row.run,
        "tool": row.tool,
        "effect": row.effect,
        "state": row.state,
        "created_at": moment(row.created_at),
        "expires_at": moment(row.expires_at),
    }


def hold_view(hold: HoldView) -> Json:
    """Return a held action with its card, exactly as it is signed."""
    card = {"card": dict(hold.card.fields), "digest": hold.card.digest, "state": hold.state.value}
    return card | tally_view(hold.tally)


def tally_view(tally: Tally) -> Json:
    """Return how a vote stands."""
    return {
        "approved_by": list(tally.approved_by),
        "rejected_by": tally.rejected_by,
        "missing": list(tally.missing),
    }


def suggestion_row_view(row: SuggestionRow) -> Json:
    """Return a suggestion in a list; its arguments are on its card."""
    return {
        "suggestion": row.id,
        "run": row.run,
        "agent": row.agent,
        "tool": row.tool,
        "effect": row.effect,
        "created_at": moment(row.created_at),
    }
