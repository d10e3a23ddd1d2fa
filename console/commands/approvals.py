"""`handrail approvals`: actions that wait for a person. A yes is a signature over exactly the card shown."""

from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import Client, client_of
from console.consent import Consent
from console.session import Session
from console.show.answer import show
from console.show.cards import approval_page, approval_table, voted_page
from console.show.values import Json
from console.shown import check_digest
from runtime.gate.actions import digest_of

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
    show(session, _card(client_of(session), hold), approval_page)


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
    _vote(session, hold, "approval", reason, Consent(yes, digest))


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
    _vote(session, hold, "rejection", reason, Consent(yes, digest))


def _card(client: Client, hold: str) -> Json:
    """Fetch a card and compute its digest here: what is signed is what is shown."""
    answer = client.get("approvals", hold)
    check_digest(answer["digest"], digest_of(answer["card"]), "the card")
    check_digest(str(answer["card"]["hold"]), hold, "the card's hold")
    return answer


def _vote(session: Session, hold: str, type_: str, reason: str, consent: Consent) -> None:
    from console.voting import vote  # noqa: PLC0415 - signing loads much that listing and help do not need

    client = client_of(session)
    show(session, vote(session, client, _card(client, hold), type_, reason, consent=consent), voted_page)
