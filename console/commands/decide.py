"""`handrail decide`: the gate over recorded lines. Nothing is executed, no control plane is needed."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli import command, single
from console.decide import decide_lines
from console.session import Session
from profiles.effects import Tier
from runtime.clock import utc_now

app = single()

_Profile = Annotated[str, typer.Option("--profile", help="A profile's file, or the name of a shipped one.")]
_Tier = Annotated[int, typer.Option("--tier", min=0, max=4, help="All classes up to it count as granted.")]
_Task = Annotated[str | None, typer.Option("--task", help="What the agent was asked to do.")]
_Policy = Annotated[Path | None, typer.Option("--policy", help="The policy's file; else the shipped one.")]


@command(
    app,
    "decide",
    example="handrail decide --profile invoices.yaml --tier 1 < actions.jsonl\n"
    """echo '{"type":"action","tool":"read","args":{}}' | handrail decide --profile p.yaml --tier 0""",
)
def decide(
    session: Session, *, profile: _Profile, tier: _Tier, task: _Task = None, policy: _Policy = None
) -> None:
    """Read recorded actions and results, one JSON object a line; answer one JSON decision for each action.

    A line that cannot be read is denied, with its number. A result is read and gets no answer.
    Every line is decided at the tier given: what a denial costs a live run, up to quarantine, is left out.
    """
    del session
    code = decide_lines(profile, Tier(tier), now=utc_now(), task=task, policy=policy)
    raise typer.Exit(code)
