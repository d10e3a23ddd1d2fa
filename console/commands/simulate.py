"""`handrail simulate`: months of the rollout in a minute, on a record of its own; no control plane needed."""

from pathlib import Path
from typing import Annotated

import typer

from console.cli import command, single
from console.errors import UsageError
from console.session import Session
from console.show.answer import show
from console.show.progress import Progress
from console.show.simulation import story_page, story_view

app = single()

_Days = Annotated[int, typer.Option("--days", min=1, max=730, help="How many days.")]
_Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed tells the same story.")]
_Plot = Annotated[Path | None, typer.Option("--plot", help="Write tier over time to this SVG file.")]
_Wrong = Annotated[
    float, typer.Option("--wrong", min=0, max=1, help="Share of the agent's work that is wrong.")
]
_Astray = Annotated[int, typer.Option("--astray-on", min=-1, help="Day of an unexpected call; -1: never.")]
_Owed = Annotated[bool, typer.Option("--owed", help="List also each review when it becomes owed.")]


@command(
    app,
    "simulate",
    example="handrail simulate --days 120 --seed 7 --plot tier.svg\nhandrail simulate --days 60 --wrong 0.05",
)
def simulate(
    session: Session,
    *,
    days: _Days = 120,
    seed: _Seed = 1,
    plot: _Plot = None,
    wrong: _Wrong = 0.0,
    astray_on: _Astray = 78,
    owed: _Owed = False,
) -> None:
    """Play ladder, reviews, alerts and demotions with a scripted agent and people; print the calendar.

    Gate, evidence, gates of promotion, signatures and the clock's work are the real ones, on a real record in
    a temporary directory. The clock, the people and the agent follow a script.
    """
    from rollout.simulation.place import scratch  # noqa: PLC0415 - it loads the whole kernel
    from rollout.simulation.plot import tier_plot  # noqa: PLC0415
    from rollout.simulation.script import Plot  # noqa: PLC0415
    from rollout.simulation.story import tell  # noqa: PLC0415

    _can_write(plot)
    story = Plot(wrong_share=wrong, astray_on=astray_on)
    with Progress("days") as progress, scratch() as directory:
        told = tell(
            directory, days=days, seed=seed, plot=story, progress=lambda done: progress.tell(done, days)
        )
    if plot is not None:
        plot.write_text(tier_plot(told))
    answer = story_view(told, None if plot is None else str(plot))
    show(session, answer, lambda shown: story_page(shown, owed=owed))


def _can_write(plot: Path | None) -> None:
    """Find out before the long work, not after it."""
    if plot is not None and (plot.is_dir() or not plot.absolute().parent.is_dir()):
        raise UsageError("--plot", got=str(plot), expected="a file in a directory that exists")
