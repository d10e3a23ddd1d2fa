"""`handrail deploy`: pin everything that shapes behaviour under one digest, on an operator's signed word."""

from difflib import unified_diff
from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.errors import IntegrityError
from console.session import Session
from console.show.agents import deployment_page, difference_page
from console.show.answer import show
from console.show.drafts import created_page, draft_card
from console.show.transitions import outdated_page, returned_page
from console.shown import check_digest
from console.signing import Json, signer
from profiles.effects import Effect
from profiles.load import LoadedProfile, find_profile
from runtime.gate.actions import digest_of
from runtime.grant_rules import Order
from runtime.moments import utc_moment
from runtime.people.statement import StatementType

app = group("Pin a deployment, look at it, compare two, go back to an earlier one.")

_Agent = Annotated[str, typer.Argument(help="A registered agent.")]
_Profile = Annotated[str, typer.Option("--profile", help="A profile's file, or the name of a shipped one.")]
_Deployment = Annotated[str, typer.Argument(help="A digest, or its first 8 characters or more.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded, encrypted.")]


@command(app, "create", signs=True, example="handrail deploy create invoice-bot --profile invoices.yaml")
def create(
    session: Session, agent: _Agent, *, profile: _Profile, yes: Yes = False, digest: Digest = None
) -> None:
    """Resolve images and tools, show what would be pinned, and create it signed: tier 0, reading only."""
    client = client_of(session)
    loaded = find_profile(profile)
    body = {"agent": agent, "profile": loaded.text, "source": profile}
    drafted = client.post("deployments", "drafts", body=body)
    order = _checked(drafted, agent, loaded)
    by = signer(session, client)
    question = f"Create this deployment at tier 0, as {by.person}?"
    page = draft_card(drafted, loaded.profile)
    Consent(yes, digest).require(session, drafted, page, order.deployment, question)
    said = by.say(order.matter(StatementType.DEPLOY))
    answer = client.post("deployments", body={"draft": order.id, "statement": said})
    show(session, answer, lambda made: created_page(made, loaded.profile))


@command(app, "show", example="handrail deploy show 9f3a61c0")
def show_deployment(session: Session, deployment: _Deployment) -> None:
    """Show what one deployment pins."""
    show(session, client_of(session).get("deployments", deployment), deployment_page)


@command(app, "diff", example="handrail deploy diff 9f3a61c0 77b2d4e1")
def diff(session: Session, before: _Deployment, after: _Deployment) -> None:
    """List every part in which two deployments differ, and how their profiles read."""
    answer = client_of(session).get("deployments", before, "diff", after)
    old, new = (text.splitlines() for text in answer.pop("profiles"))
    answer["profile_diff"] = list(unified_diff(old, new, "before", "after", lineterm=""))
    show(session, answer, difference_page)


@command(
    app,
    "rollback",
    signs=True,
    example='handrail deploy rollback invoice-bot 9f3a61c0 --reason "the new image is broken"',
)
def rollback(
    session: Session,
    agent: _Agent,
    deployment: _Deployment,
    *,
    reason: _Reason,
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Go back to an earlier deployment; within the window of the policy its grants come back with it."""
    from console.transitions import roll_back  # noqa: PLC0415 - the rollout loads much that others do not need

    answer = roll_back(
        session, client_of(session), agent, deployment, reason=reason, consent=Consent(yes, digest)
    )
    show(session, answer, returned_page)


@command(
    app,
    "outdated",
    signs=True,
    example='handrail deploy outdated invoice-bot --reason "the price list changed"',
)
def outdated(
    session: Session, agent: _Agent, *, reason: _Reason, yes: Yes = False, digest: Digest = None
) -> None:
    """Say that the rules of the business have changed: writes stop until another deployment is live."""
    from console.transitions import outdate  # noqa: PLC0415 - the rollout loads much that others do not need

    client, consent = client_of(session), Consent(yes, digest)
    answer = outdate(session, client, agent, reason=reason, consent=consent)
    show(session, answer, outdated_page)


def _checked(drafted: Json, agent: str, loaded: LoadedProfile) -> Order:
    """Return the grant to sign, once the draft is the one that was asked for."""
    parts, given = drafted["draft"]["parts"], drafted["order"]
    check_digest(given["deployment"], digest_of(parts), "the draft")
    order = Order(
        id=given["id"],
        deployment=given["deployment"],
        effect=Effect(given["effect"]),
        valid_from=utc_moment(given["valid_from"]),
        valid_until=utc_moment(given["valid_until"]),
        requester=given["requester"],
        owner=given["owner"],
    )
    asked = (agent, loaded.digest, Effect.READ)
    if (parts["agent"], parts["profile"], order.effect) != asked:
        raise IntegrityError("the draft is of another agent, profile or effect than what was asked for")
    return order
