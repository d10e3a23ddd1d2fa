"""How long the doors take in two statuses: two runs at once, taking turns call by call.

What is compared must be alike in all else. Each comparison has two deployments of its own, made for it, which
begin without a past and do the same from then on: the usual one is not also the usual one of the other
comparisons. A door that does not answer as it should, say since a budget is spent, ends the measuring: a
denial is another piece of work than an answer. Pairs of the comparisons come in turns, so what moves within
minutes moves for all of them.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from console.parity.cases import ALIAS, Case, pair
from console.parity.look import launch, output_of
from console.parity.standins import MAIL, TEXT
from console.parity.town import Town
from sandboxes.constants import NOT_FOUND_TEXT, WITHHELD_TEXT
from sandboxes.parity.compare import Status
from sandboxes.parity.probe import probe_command, read_times
from sandboxes.parity.timing import Pace, compare_times
from sandboxes.spec import Runtime

CALLS: Final = 65
"""Of each door in one run."""
WARM: Final = 5
"""Calls of each door before them, which are not measured."""
RUNS: Final = 20
"""Pairs of runs. A deployment may do 3,000 things an hour: two for each call of the doors."""
LEAD_S: Final = 3.0
"""How long after their launch a pair begins: neither is measured while the other still starts."""
SEED: Final = 20261121
COMPARED: Final = (None, Status.SETTING, Status.TIER)
"""The usual status against itself, and the statuses that the gateway knows of."""
ANSWERS: Final = {
    "list of tools": "read_mail",
    "read by a tool": MAIL.partition("\n")[0],
    "refused write": WITHHELD_TEXT,
    "call of the model": TEXT,
    "unknown path": NOT_FOUND_TEXT,
}
"""What each door's answer holds."""
Times = Mapping[str, tuple[float, ...]]


async def pace(
    town: Town, image: str, runtime: Runtime, *, calls: int = CALLS, runs: int = RUNS
) -> dict[Status | None, tuple[Pace, ...]]:
    """Compare the usual status with itself, and with the statuses that the gateway knows of.

    Args:
        town: the scratch installation.
        image: what the boxes run.
        runtime: the walls.
        calls: of each door in one run.
        runs: pairs of runs for each comparison; turns are changed with each.

    Returns:
        By status, the paces of the doors; None is the usual status against itself.

    Raises:
        sandboxes.errors.ParityError: a door did not answer as it should.
    """
    pairs = {status: await pair(town, image, status) for status in COMPARED}
    taken: dict[Status | None, list[tuple[Times, Times]]] = {status: [] for status in COMPARED}
    for number in range(runs):
        for status, cases in pairs.items():
            taken[status].append(await _pair(town, cases, runtime, calls, number))
    return {
        status: await asyncio.to_thread(compare_times, *zip(*found, strict=True), seed=SEED)
        for status, found in taken.items()
    }


async def _pair(
    town: Town, cases: tuple[Case, Case], runtime: Runtime, calls: int, number: int
) -> tuple[Times, Times]:
    """Let two runs take turns; who begins, and who is launched first, changes with the number."""
    slot, begin = number % 2, town.kernel.clock().timestamp() + LEAD_S
    both = [
        _times(town, case, runtime, {"rounds": calls, "begin": begin, "slot": its})
        for case, its in zip(cases, (slot, 1 - slot), strict=True)
    ]
    order = 1 if number // 2 % 2 else -1
    one, two = (await asyncio.gather(*both[::order]))[::order]
    return one, two


async def _times(town: Town, case: Case, runtime: Runtime, turns: Mapping[str, float]) -> Times:
    plan = {
        **turns,
        "warm": WARM,
        "answers": ANSWERS,
        "model": ALIAS,
        "read": ["read_mail", {"number": 7}],
        "write": ["send_mail", {"to": "kim@example.com", "text": "yes"}],
    }
    view = await launch(town, case, runtime, probe_command(plan))
    return read_times(await output_of(town, view.id))
