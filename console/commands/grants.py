"""`handrail grants`: what may be carried out now, by whom, until when, on whose word."""

from typing import Annotated

import typer

from console.cli import command, group
from console.client import client_of
from console.session import Session
from console.show.agents import grant_table
from console.show.answer import show

app = group("See which effects each deployment may carry out, and until when.")


@command(app, "list", example="handrail grants list\nhandrail grants list --agent invoice-bot")
def list_grants(
    session: Session,
    agent: Annotated[str | None, typer.Option("--agent", help="Only grants of this agent.")] = None,
) -> None:
    """List grants. A grant whose signed cause does not hold is listed as void: it permits nothing."""
    show(session, client_of(session).get("grants", agent=agent), grant_table)
