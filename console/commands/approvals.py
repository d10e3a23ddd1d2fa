"""`handrail approvals`: actions that wait for a person. A yes is a signature over exactly the card shown."""

from typing import Annotated

import typer

from console.cli import command, group
from console.client import Client, client_of
from console.commands.policy import Digest, Yes
from console.consent import Consent
from console.session import Session
from console.show.answer import show
from console.show.cards import approval_page, approval_table, voted_page
from console.signing import Json, check_digest, signer
from runtime.gate.cards import HoldCard
from runtime.people.statement import StatementType

app = group("Decide on actions that wait for a person.")

_Hold = Annotated[str, typer.Argument(help="The held action's id.")]


@command(app, "list", example="handrail approvals list\nhandrail approvals list --past")
def list_approvals(
    session: Session,
    *,
    past: Annotated[bool, typer.Option("--past", help="Also those that were decided or expired.")] = False,
) -> None:
    """List the actions that wait, oldest first."""
    show(session, client_of(session).get("approvals", past=past), approval_table)


@command(app, "show", example="handrail approvals show hold-2qzv7j5m4kx3ahd6")
def show_approval(session: Session, hold: _Hold) -> None:
    """Show one held action: the exact arguments, why it waits, who must sign, and its digest."""
    answer, _ = _card(client_of(session), hold)
    show(session, answer, approval_page)


@command(
    app,
    "approve",
    signs=True,
    example="handrail approvals approve hold-2qzv7j5m4kx3ahd6\n"
    "handrail approvals approve hold-2qzv7j5m4kx3ahd6 --yes --digest 5f1d7c2ab3e9",
)
def approve(
    session: Session,
    hold: _Hold,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")] = "",
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Say yes to exactly this action and these reasons, once, until it expires."""
    _vote(session, hold, StatementType.APPROVAL, reason, Consent(yes, digest))


@command(
    app,
    "reject",
    signs=True,
    example='handrail approvals reject hold-2qzv7j5m4kx3ahd6 --reason "wrong"',
)
def reject(
    session: Session,
    hold: _Hold,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is recorded.")],
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Say no to this action; one no is enough."""
    _vote(session, hold, StatementType.REJECTION, reason, Consent(yes, digest))


def _vote(session: Session, hold: str, type_: StatementType, reason: str, consent: Consent) -> None:
    client = client_of(session)
    answer, card = _card(client, hold)
    by = signer(session, client)
    word = "Approve" if type_ is StatementType.APPROVAL else "Reject"
    consent.require(approval_page(answer), card.digest, f"{word} exactly this, as {by.person}?")
    said = by.say(card.matter(type_, reason=reason))
    show(session, client.post("approvals", hold, "votes", body=said), voted_page)


def _card(client: Client, hold: str) -> tuple[Json, HoldCard]:
    """Fetch a card and compute its digest here: what is signed is what is shown."""
    answer = client.get("approvals", hold)
    card = HoldCard(answer["card"])
    check_digest(answer["digest"], card.digest, "the card")
    check_digest(card.hold, hold, "the card's hold")
    return answer, card
