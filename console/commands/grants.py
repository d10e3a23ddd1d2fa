"""`handrail grants`: what may be carried out now, by whom, until when, on whose word."""

from typing import Annotated

import typer

from console.cli import command, group
from console.client import client_of
from console.session import Session
from console.show.answer import show
from console.show.power import grant_table

app = group("See which effects each deployment may carry out, and until when.")


@command(app, "list", example="handrail grants list\nhandrail grants list --agent invoice-bot")
def list_grants(
    session: Session,
    agent: Annotated[str | None, typer.Option("--agent", help="Only grants of this agent.")] = None,
) -> None:
    """List grants with the time they have left and what they stand on.

    A grant whose signed causes do not hold is void, and one may be suspended: neither permits anything.
    """
    show(session, client_of(session).get("grants", agent=agent), grant_table)
