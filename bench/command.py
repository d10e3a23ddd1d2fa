"""How long the command line takes to answer: `handrail --help`, beside the bare interpreter."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.rows import Row, row, spread

ROUNDS = 25
HELP_GOAL_MS = 150.0


def measure() -> Iterator[Row]:
    """Yield the command line's row."""
    handrail = [str(Path(sys.executable).with_name("handrail")), "--help"]
    ours, beside = [], []
    for _ in range(ROUNDS):
        ours.append(_milliseconds(handrail))
        beside.append(_milliseconds([sys.executable, "-c", "pass"]))
    yield row(
        f"handrail --help, min/median/p99 {spread(ours)} (beside: python -c pass)",
        "ms",
        median(ours),
        median(beside),
        goal=f"< {HELP_GOAL_MS:g} ms",
        ok=median(ours) < HELP_GOAL_MS,
    )


def _milliseconds(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1000
