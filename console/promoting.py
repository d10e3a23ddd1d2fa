"""Signing about promotions: the half of `promote` and `demote` that knows keys and statements.

What is signed is computed here, over what was shown here: the basis is the digest of the frozen request as it
came, and the grant's fields are those that it holds.
"""

from collections.abc import Sequence

from pydantic import ValidationError

from console.client import Client
from console.consent import Consent
from console.errors import IntegrityError
from console.session import Session
from console.show.promotions import promotion_page
from console.show.values import Json as Shown
from console.shown import check_digest
from console.signing import Json, signer
from profiles.effects import Effect, Tier
from rollout.gates.model import GateId
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import (
    matter_to_ask,
    matter_to_demote,
    matter_to_except,
    matter_to_reject,
    matter_to_withdraw,
)
from runtime.clock import new_id
from runtime.people.statement import Matter


def ask(session: Session, client: Client, agent: str, effect: Effect, *, reason: str) -> Json:
    """Sign a request for a class; it grants nothing, so nothing is asked."""
    deployment = _deployment(client, agent)
    matter = matter_to_ask(new_id("prom"), agent=agent, deployment=deployment, effect=effect, reason=reason)
    return client.post("promotions", body=signer(session, client).say(matter))


def fetch(client: Client, promotion: str) -> tuple[Json, Frozen]:
    """Fetch a request and compute its digest here.

    Raises:
        IntegrityError: the control plane's digest is not the request's, or it is another request.
    """
    answer = client.get("promotions", promotion)
    try:
        frozen = Frozen.model_validate(answer["frozen"])
    except ValidationError as error:
        raise IntegrityError("the request cannot be read", next_step="sign nothing") from error
    check_digest(answer["basis"], frozen.basis, "the request")
    if not frozen.promotion.startswith(promotion):
        raise IntegrityError("the request is another one", got=frozen.promotion, expected=promotion)
    return answer, frozen


def approve(session: Session, client: Client, promotion: str, *, consent: Consent) -> Json:
    """Sign the grant that a request would issue, once the person has seen all of it and agrees."""
    shown, frozen = fetch(client, promotion)
    question = f"Approve {frozen.effect} for {frozen.agent} on exactly this evidence"
    return _say(session, client, shown, frozen, "approvals", frozen.order.matter(), question, consent)


def reject(session: Session, client: Client, promotion: str, *, reason: str, consent: Consent) -> Json:
    """Sign a no to a request; one is enough."""
    shown, frozen = fetch(client, promotion)
    matter = matter_to_reject(frozen.promotion, frozen.basis, reason=reason)
    return _say(session, client, shown, frozen, "rejections", matter, "Reject this request", consent)


def except_from(
    session: Session,
    client: Client,
    promotion: str,
    gates: Sequence[GateId],
    *,
    reason: str,
    consent: Consent,
) -> Json:
    """Sign that a request may pass these gates after a shorter observation."""
    shown, frozen = fetch(client, promotion)
    matter = matter_to_except(frozen.promotion, frozen.basis, gates=gates, reason=reason)
    question = f"Let it pass {' and '.join(sorted(set(gates)))} after a shorter observation"
    return _say(session, client, shown, frozen, "exceptions", matter, question, consent)


def withdraw(session: Session, client: Client, promotion: str, *, reason: str) -> Json:
    """Sign that a request is taken back; that gives nobody power, so nothing is asked."""
    _, frozen = fetch(client, promotion)
    matter = matter_to_withdraw(frozen.promotion, frozen.basis, reason=reason)
    return client.post(
        "promotions", frozen.promotion, "withdrawals", body=signer(session, client).say(matter)
    )


def demote(session: Session, client: Client, agent: str, to: Tier, *, reason: str) -> Json:
    """Sign that a deployment goes down to a tier; it asks nothing: taking power must be quick."""
    matter = matter_to_demote(agent, _deployment(client, agent), to, reason=reason)
    return client.post("demotions", body=signer(session, client).say(matter))


def _say(  # noqa: PLR0917 - private; each word above names them in this order
    session: Session,
    client: Client,
    shown: Shown,
    frozen: Frozen,
    door: str,
    matter: Matter,
    question: str,
    consent: Consent,
) -> Json:
    by = signer(session, client)
    consent.require(session, shown, promotion_page(shown), frozen.basis, f"{question}, as {by.person}?")
    return client.post("promotions", frozen.promotion, door, body=by.say(matter))


def _deployment(client: Client, agent: str) -> str:
    """Return the digest of an agent's present deployment.

    Raises:
        IntegrityError: the agent has none.
    """
    found = client.get("agents", agent)["agent"]["deployments"]
    if not found:
        raise IntegrityError(f"agent {agent} has no deployment", next_step=f"handrail deploy create {agent}")
    return str(found[0]["digest"])
