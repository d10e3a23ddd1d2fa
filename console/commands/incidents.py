"""`handrail incidents`: what a leader must know. Each blocks promotion until a leader has answered."""

from typing import Annotated

import typer

from console.cli import Digest, Yes, command, group
from console.client import client_of
from console.consent import Consent
from console.session import Session
from console.show.alerts import acknowledged_page, incident_page, incident_table
from console.show.answer import show

app = group("See what leadership must know, and acknowledge it.")

_Id = Annotated[str, typer.Argument(help="The incident's id.")]


@command(app, "list", example="handrail incidents list\nhandrail incidents list --agent invoice-bot --all")
def list_incidents(
    session: Session,
    *,
    agent: Annotated[str | None, typer.Option("--agent", help="Only those of this agent.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Acknowledged ones too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many, newest first.")] = 50,
) -> None:
    """List incidents that wait for leadership, newest first."""
    answer = client_of(session).get("incidents", agent=agent, acknowledged=everything, limit=limit)
    show(session, answer, incident_table)


@command(app, "show", example="handrail incidents show inc-0f3a61c09b77d2e4")
def show_incident(session: Session, incident: _Id) -> None:
    """Show one incident, and the digest that an acknowledgement signs."""
    from console.alarms import fetch_incident  # noqa: PLC0415 - signing loads much that listing does not need

    show(session, fetch_incident(client_of(session), incident), incident_page)


@command(
    app,
    "ack",
    signs=True,
    example='handrail incidents ack inc-0f3a61c09b77d2e4 --reason "the vendor list is fixed"',
)
def acknowledge(
    session: Session,
    incident: _Id,
    *,
    reason: Annotated[str, typer.Option("--reason", help="What follows from it; recorded, encrypted.")],
    yes: Yes = False,
    digest: Digest = None,
) -> None:
    """Acknowledge an incident with words, as leadership, never as the agent's owner."""
    from console.alarms import acknowledge as sign  # noqa: PLC0415 - signing loads much that listing does not

    consent = Consent(yes, digest)
    show(session, sign(session, client_of(session), incident, reason, consent=consent), acknowledged_page)
