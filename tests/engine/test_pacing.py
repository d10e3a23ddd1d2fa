"""Timing the doors of two statuses in real boxes: what is timed is what was meant to be timed."""

import asyncio
from pathlib import Path

import pytest

from console.parity.cases import pair
from console.parity.look import launch, output_of
from console.parity.pacing import ANSWERS, COMPARED, pace
from console.parity.town import open_town
from console.parity.verify import DEFAULT_IMAGE
from sandboxes.errors import ParityError
from sandboxes.parity.probe import probe_command, read_times
from sandboxes.spec import Runtime

pytestmark = pytest.mark.engine
ENGINE = Path("/var/run/docker.sock")
PLAN = {
    "rounds": 1,
    "warm": 0,
    "begin": 0,
    "slot": 0,
    "model": "fast",
    "read": ["read_mail", {"number": 7}],
    "write": ["send_mail", {"to": "kim@example.com", "text": "yes"}],
}


def test_every_door_is_timed_in_every_comparison() -> None:
    """Issue 4, figures: the usual status against itself, another setting, another tier."""

    async def work() -> None:
        async with open_town(ENGINE) as town:
            found = await pace(town, DEFAULT_IMAGE, Runtime.RUNC, calls=2, runs=1)
        assert tuple(found) == COMPARED
        for paces in found.values():
            assert {one.door for one in paces} == set(ANSWERS)
            assert all(one.usual_ms > 0 and one.other_ms > 0 for one in paces)

    asyncio.run(work())


def test_a_door_that_answers_otherwise_ends_the_measuring() -> None:
    """A denial for a spent budget is another piece of work than the answer it stands for."""

    async def work() -> None:
        async with open_town(ENGINE) as town:
            case, _ = await pair(town, DEFAULT_IMAGE, None)
            plan = {**PLAN, "answers": {**ANSWERS, "read by a tool": "another mail"}}
            view = await launch(town, case, Runtime.RUNC, probe_command(plan))
            with pytest.raises(ParityError, match="read by a tool"):
                read_times(await output_of(town, view.id))

    asyncio.run(work())
