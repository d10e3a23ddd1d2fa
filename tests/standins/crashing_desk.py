"""A clock that keeps and prints reviews until it is killed at a named step of the record. It forks.

    python -m tests.standins.crashing_desk DIRECTORY < one order a line: `STEP COUNT`

For each order a child opens the installation in DIRECTORY eight days on and does the unattended job. After
each child a line with its ending is printed.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from rollout.reviews.desk import Desk
from runtime.clock import new_id
from tests.standins.crashing import Reopened
from tests.standins.persons import START
from tests.standins.promoting import Eyes

LATER = START + timedelta(days=8)


def reopen(directory: Path, on_step: Callable[[str], None]) -> tuple[Reopened, Desk]:
    """Open the installation eight days on, with a desk."""
    town = Reopened(directory, on_step)
    town.now = LATER
    desk = Desk(town.ledger, town.book, town.ledger.keyring, Eyes(town.book, LATER), lambda: None, new_id)
    return town, desk


def _child(directory: Path, step: str, number: int) -> None:
    passed = 0

    def on_step(name: str) -> None:
        nonlocal passed
        passed += name == step
        if passed == number:
            os.kill(os.getpid(), signal.SIGKILL)

    _, desk = reopen(directory, on_step)
    desk.run(LATER)


def _try(directory: Path, step: str, number: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            _child(directory, step, number)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def main(directory: Path) -> None:
    for line in sys.stdin:
        step, number = line.split()
        sys.stdout.write(f"{_try(directory, step, int(number))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
