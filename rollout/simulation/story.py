"""The story: so many days, each with the clock's work every three hours, the agent's at noon, people's after.

In between the monitor gives its signs of life, as it does every minute in life; five minutes apart is as far
as they may be.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, select

from profiles.effects import Effect, Tier
from rollout.monitor import GAP, beat
from rollout.simulation.calendar import Happening, happenings
from rollout.simulation.plant import AGENT, Plant, build_plant
from rollout.simulation.script import RUNS_A_DAY, Plot, work
from rollout.simulation.staff import Staff
from runtime import freeze, grants
from runtime.freeze_rules import matter_to_unfreeze
from runtime.gate.actions import Action, ActionKind
from runtime.gate.replies import Performed
from runtime.grant_rules import effective_tier
from runtime.record.batch import Tx
from runtime.tables.log import LogEntryRow

BEGIN: Final = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)  # a Monday
_STEP: Final = 3  # hours
_WORK_HOUR, _STAFF_HOUR = 9, 15
_WORKING_DAYS: Final = 5
_IMAGE: Final = "sha256:" + "5a" * 32


@dataclass(frozen=True, slots=True)
class Evening:
    """How a day ended.

    Attributes:
        tier: the deployment's effective tier; None: not even reading is granted.
        suspended: whether granted writes were suspended.
    """

    day: int
    date: str
    tier: int | None
    suspended: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The whole story."""

    days: int
    seed: int
    evenings: tuple[Evening, ...]
    happenings: tuple[Happening, ...]
    entries: int
    judged: int
    deployment: str


def tell(
    directory: Path,
    *,
    days: int,
    seed: int,
    plot: Plot | None = None,
    begin: datetime = BEGIN,
    progress: Callable[[int], None] = lambda _day: None,
) -> Told:
    """Play the story.

    Args:
        directory: an empty one; it holds the record, and is the caller's to remove.
        days: how many.
        seed: the same seed tells the same story.
        plot: what goes wrong, and when.
        begin: its first midnight, UTC.
        progress: told how many days are over.

    Raises:
        SimulationError: the story cannot go on.
    """
    plant = build_plant(directory, seed=seed, begin=begin)
    try:
        return play(plant, Staff(plant), plot or Plot(), days=days, seed=seed, progress=progress)
    finally:
        plant.close()


def play(
    plant: Plant,
    staff: Staff,
    plot: Plot,
    *,
    days: int,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _day: None,
) -> Told:
    """Play the story in an installation that goes on afterwards; the arguments are those of `tell`."""
    begin = plant.time.now
    deployment = plant.deploy(_IMAGE)
    staff.assess(deployment)
    evenings, judged = [], 0
    for day in range(days):
        for hour in range(0, 24, _STEP):
            _pass_hours(plant)
            if hour == _WORK_HOUR and day % 7 < _WORKING_DAYS:
                asyncio.run(_act(plant, deployment, plot, day))
            if hour == _STAFF_HOUR and not plot.is_absent(day):
                judged += _people(plant, staff, deployment)
        evenings.append(_evening(plant, deployment, day))
        progress(day + 1)
    told = plant.read(lambda conn: happenings(conn, begin=begin))
    return Told(days, seed, tuple(evenings), told, plant.read(_entries), judged, deployment)


def _pass_hours(plant: Plant) -> None:
    begun = plant.time.now
    moments = [begun + number * GAP for number in range(1, timedelta(hours=_STEP) // GAP + 1)]

    def live(tx: Tx) -> None:
        for moment in moments:
            beat(tx, moment)

    plant.time.now = moments[-1]
    plant.ledger.write_sync(live)
    plant.tick()


async def _act(plant: Plant, deployment: str, plot: Plot, day: int) -> None:
    for number in range(RUNS_A_DAY):
        run = plant.begin_run(deployment, f"Reconcile the invoices of day {day}, part {number}.")
        for piece in work(plot, day, number, plant.chance):
            action = Action(plant.chance.new_id("act"), run.run, ActionKind.TOOL, piece.tool, piece.args)
            await plant.gate.enforce(run, action, _done)
        plant.end_run(run.run)


async def _done() -> Performed:
    return Performed({"done": True}, "done")


def _people(plant: Plant, staff: Staff, deployment: str) -> int:
    staff.answer_alerts()
    _lift_stops(plant)
    plant.clockwork.drawing.ask(plant.time.now, AGENT)
    judged = staff.judge()
    staff.review()
    staff.promote(deployment)
    return judged


def _lift_stops(plant: Plant) -> None:
    """Lift what Handrail stopped by itself, after its incident was acknowledged."""
    roster = plant.read(plant.book.current).roster
    now = plant.time.now
    for stop in plant.read(lambda conn: freeze.standing_stops(conn, now=now, roster=roster)):
        signed = plant.says("otto", matter_to_unfreeze(stop.id, reason="looked into"))
        plant.write(lambda tx, signed=signed: freeze.unfreeze(tx, signed, roster=roster, now=tx.now))  # type: ignore[misc]


def _evening(plant: Plant, deployment: str, day: int) -> Evening:
    now = plant.time.now
    roster = plant.read(plant.book.current).roster
    rows = plant.read(lambda conn: grants.standing(conn, deployment, now=now, roster=roster))
    given = {Effect(row.effect) for row in rows if row.fault is None}
    left = plant.read(lambda conn: grants.granted(conn, deployment, now=now, roster=roster))
    tier: Tier | None = effective_tier(left, plant.loaded.profile.effects)
    date = (now - timedelta(seconds=1)).date().isoformat()
    return Evening(day, date, None if tier is None else int(tier), suspended=bool(given - left))


def _entries(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(LogEntryRow)).scalar_one())
