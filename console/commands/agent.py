"""`handrail agent`: named things that operators own, and the risk row that their traits give."""

from typing import Annotated

import typer

from console.cli import command, group
from console.client import client_of
from console.session import Session
from console.show.agents import agent_page, agent_table
from console.show.answer import show

app = group("Register agents and see what their traits demand.")

_Name = Annotated[str, typer.Argument(help="The agent's name: lower-case letters, digits and dashes.")]


@command(
    app,
    "register",
    example="handrail agent register invoice-bot --trait external-parties --owner ann",
)
def register(
    session: Session,
    name: _Name,
    trait: Annotated[list[str], typer.Option("--trait", help="What it is; may be given several times.")],
    owner: Annotated[str, typer.Option("--owner", help="The person who answers for it; never approves it.")],
) -> None:
    """Register an agent by its traits; the strictest trait decides its risk and controls."""
    body = {"name": name, "traits": trait, "owner": owner}
    show(session, client_of(session).post("agents", body=body), agent_page)


@command(app, "show", example="handrail agent show invoice-bot")
def show_agent(session: Session, name: _Name) -> None:
    """Show one agent: risk, controls, review cadence and deployments."""
    show(session, client_of(session).get("agents", name), agent_page)


@command(app, "list", example="handrail agent list")
def list_agents(session: Session) -> None:
    """List all agents."""
    show(session, client_of(session).get("agents"), agent_table)
