"""What a run's status shows: facts that it explains, and whether the doors take as long in each status.

The scratch installation of `handrail context verify`, with its real kernel, gateways and boxes. For the
timing two runs at a time take turns call by call; beside the times of another status stand those of the usual
one. The usual status against itself is measured, too: its rows show what chance calls a difference. Both
sides of each comparison are deployments made for it, so that both have the same past.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from bench.rows import Row, row
from console.parity.cases import prepare
from console.parity.look import look
from console.parity.pacing import pace
from console.parity.town import open_town
from console.parity.verify import DEFAULT_IMAGE
from sandboxes.docker_driver import DockerDriver
from sandboxes.parity.compare import Status
from sandboxes.parity.timing import SHIFT, WANTED_POWER, Pace
from sandboxes.spec import Runtime

ENGINE = Path("/var/run/docker.sock")


def measure() -> Iterator[Row]:
    """Yield the facts of each runtime the engine has, then the doors' times under runc."""
    driver = DockerDriver(f"unix://{ENGINE}")
    runtimes = sorted(driver.runtimes())
    driver.close()
    for runtime in runtimes:
        yield asyncio.run(_facts(runtime))
    for status, paces in asyncio.run(_paces()).items():
        for one in paces:
            yield _row(status, one)


async def _facts(runtime: Runtime) -> Row:
    async def quiet(_done: int, _total: int) -> None:
        """Say nothing."""

    begun = time.perf_counter()
    async with open_town(ENGINE) as town:
        found = await look(town, await prepare(town, DEFAULT_IMAGE), runtime, quiet)
    counts = found.families().values()
    told = (
        f"{len(found.facts)} facts, {sum(one.masked for one in counts)} masked, "
        f"{sum(one.justified for one in counts)} vary anyway, in {time.perf_counter() - begun:.0f} s"
    )
    differing = len(found.differing)
    return row(
        f"context verify under {runtime.value}: facts that status explains, of {told}",
        "facts",
        differing,
        None,
        goal="0 facts",
        ok=differing == 0,
    )


async def _paces() -> dict[Status | None, tuple[Pace, ...]]:
    async with open_town(ENGINE) as town:
        return await pace(town, DEFAULT_IMAGE, Runtime.RUNC)


def _row(status: Status | None, one: Pace) -> Row:
    against = f"another {status.value}" if status else "the same status"
    goal = f"p >= {one.level:.2f}, power {WANTED_POWER:g}"
    return row(
        f"{one.door}, {against}: p {one.p:.3f}, power {one.power:.2f} for a shift of {SHIFT:.0%}",
        "ms",
        one.other_ms,
        one.usual_ms,
        goal=goal,
        ok=None if status is None else not one.differs and one.conclusive,
    )
