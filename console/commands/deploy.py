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
from console.shown import check_digest
from console.signing import Json, signer
from profiles.effects import Effect
from profiles.load import LoadedProfile, find_profile
from runtime.gate.actions import digest_of
from runtime.grant_rules import Order
from runtime.people.statement import StatementType
from runtime.tables.types import utc_moment

app = group("Pin a deployment, look at it, compare two.")

_Agent = Annotated[str, typer.Argument(help="A registered agent.")]
_Profile = Annotated[str, typer.Option("--profile", help="A profile's file, or the name of a shipped one.")]
_Deployment = Annotated[str, typer.Argument(help="A digest, or its first 8 characters or more.")]


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
    Consent(yes, digest).require(draft_card(drafted, loaded.profile), order.deployment, question)
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
