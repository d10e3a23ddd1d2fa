"""Signing transitions: the half of `deploy rollback` and `deploy outdated` that knows keys and statements."""

from console.client import Client
from console.consent import Consent
from console.errors import BlockedError
from console.session import Session
from console.show.transitions import outdated_card, return_card
from console.signing import Json, signer
from profiles.effects import Effect
from rollout.transitions import Return, matter_of_outdated
from runtime.grant_rules import Order
from runtime.moments import utc_moment
from runtime.people.statement import StatementType


def roll_back(
    session: Session, client: Client, agent: str, to: str, *, reason: str, consent: Consent
) -> Json:
    """Sign the return to an earlier deployment, one word for it and one for each grant it gives back.

    Returns:
        The control plane's answer.
    """
    shown = client.get("agents", agent, "returns", to)["return"]
    plan, by = _plan(shown), signer(session, client)
    if not plan.to.startswith(to):
        raise BlockedError("the plan is for another deployment", got=plan.to, expected=to)
    question = f"Go back to this deployment, as {by.person}?"
    consent.require(session, {**shown, "reason": reason}, return_card(shown, reason), plan.to, question)
    words = {order.id: by.say(order.matter(StatementType.ROLLBACK, reason=reason)) for order in plan.orders}
    orders = [
        {name: row[name] for name in ("id", "effect", "valid_from", "valid_until", "restores")}
        for row in shown["orders"]
    ]
    body = {"before": plan.before, "to": plan.to, "orders": orders, "reason": reason}
    return client.post(
        "agents", agent, "returns", body=body | {"statement": by.say(plan.matter(reason)), "words": words}
    )


def outdate(session: Session, client: Client, agent: str, *, reason: str, consent: Consent) -> Json:
    """Sign that the rules behind an agent's present deployment have changed."""
    made = client.get("agents", agent)["agent"]["deployments"]
    if not made:
        raise BlockedError(f"agent {agent} has no deployment", next_step=f"handrail deploy create {agent}")
    digest, by = made[0]["digest"], signer(session, client)
    question = f"Suspend its writes until another deployment is live, as {by.person}?"
    card = {"agent": agent, "deployment": digest, "reason": reason}
    consent.require(session, card, outdated_card(agent, digest, reason), digest, question)
    said = by.say(matter_of_outdated(agent, digest, reason))
    body = {"deployment": digest, "reason": reason, "statement": said}
    return client.post("agents", agent, "outdated", body=body)


def _plan(shown: Json) -> Return:
    orders = tuple(
        Order(
            id=row["id"],
            deployment=shown["to"],
            effect=Effect(row["effect"]),
            valid_from=utc_moment(row["valid_from"]),
            valid_until=utc_moment(row["valid_until"]),
            requester=row["requester"],
            owner=row["owner"],
            restores=row["restores"],
        )
        for row in shown["orders"]
    )
    return Return(shown["agent"], shown["owner"], shown["before"], shown["to"], orders, shown["bare"])
