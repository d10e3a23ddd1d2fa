"""The rollout's figures at size: one tick of the clock, and `gates status`, among 10,000 deployments.

One deployment is real: simulated days of work, judged item by item. The others are rows around it, as many as
a large installation has, each with its suggestions, its last draw and what is owed.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import insert

from profiles.effects import Effect
from rollout.evidence.items import ItemKind
from rollout.gates.evaluate import evaluate
from rollout.reviews.kinds import ObligationState, ReviewKind
from rollout.simulation import story
from rollout.simulation.plant import Plant, build_plant
from rollout.simulation.script import Plot
from rollout.simulation.staff import Staff
from runtime.canonical import canonical
from runtime.deployments import Parts
from runtime.record.batch import Tx
from runtime.runs.states import RunState
from runtime.tables.actions import SuggestionRow
from runtime.tables.agents import AgentRow, DeploymentRow, RunRow
from runtime.tables.evidence import DrawRow
from runtime.tables.reviews import ObligationRow

DEPLOYMENTS = 10_000
SUGGESTIONS = 1_000_000
SMALL_DEPLOYMENTS = 500
SIMULATED_DAYS = 16
ROUNDS = 7
BATCH = 100
TICK_GOAL_S = 2.0
STATUS_GOAL_MS = 200.0


def measure(*, large: int = SUGGESTIONS) -> Iterator[dict[str, Any]]:
    """Yield the rows: name, unit, ours, beside, ratio, goal, ok.

    Args:
        large: how many suggestions there are in all.
    """
    deployments = DEPLOYMENTS if large >= SUGGESTIONS else SMALL_DEPLOYMENTS
    with tempfile.TemporaryDirectory(prefix="handrail-bench-") as scratch:
        plant = build_plant(Path(scratch), seed=1, begin=story.BEGIN)
        try:
            deployment = _worked(plant)
            _fill(plant, deployments, large // deployments)
            yield _ticks(plant, deployments, large)
            yield _status(plant, deployment, deployments, large)
        finally:
            plant.close()


def _worked(plant: Plant) -> str:
    """Let the simulated agent work for some days, and people judge."""
    told = story.play(plant, Staff(plant), Plot(astray_on=-1, absent=(-1, -1)), days=SIMULATED_DAYS)
    return told.deployment


def _fill(plant: Plant, deployments: int, each: int) -> None:
    for start in range(0, deployments, BATCH):
        numbers = range(start, min(start + BATCH, deployments))
        plant.ledger.write_sync(lambda tx, numbers=numbers: _neighbours(plant, tx, numbers, each))  # type: ignore[misc]


def _neighbours(plant: Plant, tx: Tx, numbers: range, each: int) -> None:
    made = [_neighbour(plant, number, each, tx.now) for number in numbers]
    for table in (AgentRow, DeploymentRow, RunRow, SuggestionRow, DrawRow, ObligationRow):
        tx.conn.execute(insert(table), [row for rows in made for row in rows[table]])


def _neighbour(plant: Plant, number: int, each: int, now: datetime) -> dict[Any, list[dict[str, Any]]]:
    """Return the rows of one deployment of somebody else."""
    agent, run, began = f"agent-{number}", f"run-{number}", now - timedelta(days=3)
    parts = Parts(
        agent=agent,
        profile=plant.loaded.digest,
        image=f"sha256:{number:064x}",
        upstream_images={},
        manifest={},
    )
    digest = parts.digest
    return {
        AgentRow: [{"name": agent, "owner": "olga", "traits": "[]", "risk": "High", "registered_at": began}],
        DeploymentRow: [
            {
                "digest": digest,
                "agent": agent,
                "parts": canonical(parts.as_json()),
                "profile_text": plant.loaded.text,
                "statement": "none",
                "created_at": began,
            }
        ],
        RunRow: [_run(run, digest, agent, began)],
        SuggestionRow: [_suggestion(number, item, run, digest, agent, began) for item in range(each)],
        DrawRow: [_draw(number, digest, each, now)],
        ObligationRow: [
            _obligation(number, kind, digest, agent, began)
            for kind in (ReviewKind.PERIODIC, ReviewKind.SPECIFICATION, ReviewKind.EVALUATION)
        ],
    }


def _run(run: str, digest: str, agent: str, began: datetime) -> dict[str, Any]:
    return {
        "id": run,
        "deployment": digest,
        "agent": agent,
        "state": RunState.ENDED.value,
        "operator": "otto",
        "outcome": "exited",
        "requested_at": began,
        "expires_at": began + timedelta(hours=1),
        "ended_at": began + timedelta(minutes=5),
    }


def _suggestion(  # noqa: PLR0917 the columns of a row
    number: int, item: int, run: str, digest: str, agent: str, began: datetime
) -> dict[str, Any]:
    name = f"{number}-{item}"
    return {
        "id": f"sug-{name}",
        "action": f"act-{name}",
        "run": run,
        "deployment": digest,
        "agent": agent,
        "tool": "set_label",
        "effect": Effect.DRAFT.value,
        "args_digest": f"{item:064x}",
        "log_seq": 0,
        "created_at": began + timedelta(seconds=item),
    }


def _draw(number: int, digest: str, each: int, now: datetime) -> dict[str, Any]:
    return {
        "id": f"draw-{number}",
        "deployment": digest,
        "effect": Effect.DRAFT.value,
        "kind": ItemKind.SUGGESTION.value,
        "seed": "0" * 64,
        "from_at": now - timedelta(days=3),
        "through_at": now - timedelta(days=1),
        "population": each,
        "drawn": each,
        "made_at": now - timedelta(days=1),
    }


def _obligation(number: int, kind: ReviewKind, digest: str, agent: str, began: datetime) -> dict[str, Any]:
    return {
        "id": f"rev-{number}-{kind.value}",
        "deployment": digest,
        "agent": agent,
        "kind": kind.value,
        "period_start": began,
        "due_at": began + timedelta(days=30),
        "created_at": began,
        "late": False,
        "followed": False,
        "state": ObligationState.OPEN.value,
    }


def _ticks(plant: Plant, deployments: int, suggestions: int) -> dict[str, Any]:
    def tick() -> None:
        plant.time.now += timedelta(minutes=1)
        plant.scheduler.tick()
        if plant.faults:
            raise RuntimeError(plant.faults[0].error)

    tick()
    seconds = [_seconds(tick) for _ in range(ROUNDS)]
    return _row(
        f"one tick of the clock, {deployments:,} deployments, {suggestions:,} suggestions",
        "s",
        seconds,
        TICK_GOAL_S,
    )


def _status(plant: Plant, deployment: str, deployments: int, suggestions: int) -> dict[str, Any]:
    assessor = plant.clockwork.assessor

    def status() -> None:
        now = plant.time.now
        for effect in (Effect.DRAFT, Effect.UPDATE, Effect.SEND):
            evidence = plant.read(
                lambda conn, effect=effect: assessor.collect(conn, deployment, effect, now=now)  # type: ignore[misc]
            )
            evaluate(evidence, approvals=None, now=now)

    status()
    milliseconds = [_seconds(status) * 1000 for _ in range(ROUNDS)]
    return _row(
        f"gates status of three classes, {deployments:,} deployments, {suggestions:,} suggestions",
        "ms",
        milliseconds,
        STATUS_GOAL_MS,
    )


def _seconds(work: Callable[[], None]) -> float:
    os.sched_yield()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _row(name: str, unit: str, values: list[float], goal: float) -> dict[str, Any]:
    ours = median(values)
    return {
        "name": f"{name} (min {min(values):.3g}, max {max(values):.3g})",
        "unit": unit,
        "ours": round(ours, 3),
        "beside": None,
        "ratio": None,
        "goal": f"<= {goal:g} {unit}",
        "ok": ours <= goal,
    }
