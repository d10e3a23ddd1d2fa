"""`handrail launch`: run a deployed agent in its box."""

from enum import StrEnum
from typing import Annotated

import typer

from console.cli import command, single
from console.client import Client
from console.commands.runs import print_line
from console.errors import Exit
from console.following import follow_run
from console.private import reach
from console.session import Session
from console.show.answer import show
from console.show.runs import ending
from console.show.text import note, say
from console.show.values import Json

app = single()
_INTERRUPTED = 130
"""What a shell says of a program that SIGINT ended: 128 and the signal's number."""
_LEFT = (
    "handrail: the launch was asked for and goes on without this command; next: handrail runs list, "
    "then handrail runs stop RUN"
)


class Walls(StrEnum):
    """The values of `sandboxes.spec.Runtime`, without its imports."""

    RUNC = "runc"
    RUNSC = "runsc"


class WorksOn(StrEnum):
    """The values of `profiles.setting.Setting`, without its imports."""

    PRODUCTION = "production"
    EVALUATION = "evaluation"


_Agent = Annotated[str, typer.Argument(help="The agent to run.")]
_Task = Annotated[str | None, typer.Option("--task", help="What the agent is asked to do.")]
_Deployment = Annotated[
    str | None,
    typer.Option("--deployment", help="Digest, or its first 8 characters or more; else the newest."),
]
_Runtime = Annotated[Walls, typer.Option("--runtime", help="The walls of the box; runsc is gVisor.")]
_Setting = Annotated[
    WorksOn,
    typer.Option(
        "--setting", help="What it works on; evaluation has endpoints, data and credentials of its own."
    ),
]
_Detach = Annotated[bool, typer.Option("--detach", help="Begin the run and do not wait for its end.")]


@command(
    app,
    "launch",
    rest=True,
    example='handrail launch invoice-bot --task "Reconcile this week\'s invoices"\n'
    "handrail launch invoice-bot --setting evaluation --task 'Reconcile the sample'\n"
    "handrail launch code-bot -- python /agent/main.py --dry-run",
)
def launch(
    session: Session,
    context: typer.Context,
    agent: _Agent,
    *,
    task: _Task = None,
    deployment: _Deployment = None,
    runtime: _Runtime = Walls.RUNC,
    setting: _Setting = WorksOn.PRODUCTION,
    detach: _Detach = False,
) -> None:
    """Run an agent in a sealed box and follow its output; after `--`, a command in place of the profile's.

    With --json, wait and answer with the run as it ended; its output is in `handrail runs logs`.
    Exit code 0: the agent ended with 0; 1: with another; 3: the control plane stopped first, the run goes on.
    """
    client = reach(session)
    body = {"agent": agent, "task": task, "deployment": deployment, "command": list(context.args)}
    try:
        started = client.post("runs", body={**body, "runtime": runtime.value, "setting": setting.value})
        if not session.json:
            _warn(started)
    except KeyboardInterrupt:
        note(_LEFT)
        raise typer.Exit(_INTERRUPTED) from None
    if detach:
        show(session, started, lambda answer: [ending(answer["run"])])
        return
    _wait(session, client, started)


def _warn(started: Json) -> None:
    """Say on the error stream what task and arguments tell the agent, and how the task could be written."""
    if started["told"]:
        from console.show.linting import launch_lines  # noqa: PLC0415 - few launches have something to say

        note("\n".join(launch_lines(started)))


def _wait(session: Session, client: Client, started: Json) -> None:
    """Follow a run to its end; with `--json` its output is left aside, and the end is the one answer."""
    run = started["run"]["id"]
    tell, silent = (note, True) if session.json else (say, False)
    tell(f"run {run} began; Ctrl-C leaves it running; stop it with: handrail runs stop {run}")
    ended = follow_run(client, run, lambda item: None if silent else print_line(session, item))
    show(session, {**started, "run": ended}, lambda answer: [ending(answer["run"])])
    if ended["exit_code"] != 0:
        raise typer.Exit(Exit.ERROR)
