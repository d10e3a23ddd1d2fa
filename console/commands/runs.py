"""`handrail runs`: what runs now and what ran."""

from typing import Annotated

import typer

from console.cli import command, group
from console.client import Json, client_of
from console.following import follow_run
from console.session import Session
from console.show.answer import show
from console.show.runs import ending, log_line, run_page, run_table
from console.show.text import say, say_line_json
from profiles.setting import Setting

app = group("List, follow and stop runs.")

Run = Annotated[str, typer.Argument(help="The run's id.")]


@command(
    app,
    "list",
    example="handrail runs list\nhandrail runs list --agent invoice-bot --setting evaluation --limit 5",
)
def list_runs(
    session: Session,
    agent: Annotated[str | None, typer.Option("--agent", help="Only runs of this agent.")] = None,
    setting: Annotated[
        Setting | None, typer.Option("--setting", help="Only runs of this setting; without, of both.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20,
) -> None:
    """List runs, newest first."""
    chosen = setting.value if setting else None
    show(session, client_of(session).get("runs", agent=agent, setting=chosen, limit=limit), run_table)


@command(app, "show", example="handrail runs show run-2qzv7j5m4kx3ahd6")
def show_run(session: Session, run: Run) -> None:
    """Show one run: what was asked, how its box was proved, how it ended."""
    show(session, client_of(session).get("runs", run), run_page)


@command(app, "logs", example="handrail runs logs -f run-2qzv7j5m4kx3ahd6")
def logs(
    session: Session,
    run: Run,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run ends.")] = False,
) -> None:
    """Print what the agent wrote. It is the agent's text: control characters are shown, never obeyed.

    With -f, exit code 3 if the control plane stopped first: the run goes on.
    """
    client = client_of(session)
    if follow:
        client.get("runs", run)
        follow_run(client, run, lambda item: print_line(session, item))
        return
    for item in client.stream("runs", run, "logs"):
        print_line(session, item)


@command(app, "stop", example="handrail runs stop run-2qzv7j5m4kx3ahd6")
def stop(session: Session, run: Run) -> None:
    """Stop a run: its gateways close first, then its box goes."""
    answer = client_of(session).post("runs", run, "stop")
    show(session, answer, lambda told: [ending(told["run"])])


def print_line(session: Session, item: Json) -> None:
    """Print one line of a run's output."""
    if session.json:
        say_line_json(item)
    else:
        say(log_line(item))
