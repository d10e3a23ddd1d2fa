"""A process that acts until it is killed: at a named step, or at any moment. It forks, so each try is quick.

    python -m tests.standins.crashing < one order a line: `STEP COUNT DIRECTORY` or `random SEED DIRECTORY`

For each order a child opens the installation in DIRECTORY, lets actions happen and is killed. An effect is
one line in `effects`; a reply that left the gate is one line in `replies`. After each child its ending is
printed.

What a process reads once, such as the profile, is read before the first child, by an action in an
installation of its own: a child then spends its time where it may be killed.
"""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from profiles.load import parse_profile
from profiles.schema import Profile
from runtime.clock import new_id
from runtime.db import open_engine
from runtime.gate.actions import Action, ActionKind
from runtime.gate.replies import Done, Performed, Progress
from runtime.people.pin import PIN_NAME
from runtime.people.policies import PolicyBook
from runtime.record.anchor import FileAnchor
from runtime.record.keys import load_keys
from runtime.record.ledger import Ledger
from runtime.settings import Settings
from tests.standins.patience import PATIENT
from tests.standins.persons import START, Town
from tests.standins.workshop import PROFILE, Hands, Workshop, make_context, make_gate, make_workshop

ACTIONS_EACH = 400
CLIENTS = 4
MOMENTS_S = (0.01, 0.15)
"""When a child is killed at any moment: how much of the processor it has used by then."""
_LOOK_S = 0.001
_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT


class Reopened(Town):
    """A town that exists already, opened with a fail point in its record."""

    def __init__(self, directory: Path, on_step: Callable[[str], None]) -> None:
        self.now = START + timedelta(minutes=1)
        self.settings = Settings(state_dir=directory / "state", anchor_dir=directory / "anchor")
        keys = load_keys(self.settings.keys_dir)
        self.installation = keys.signer.verifier.name
        self.pin_path = self.settings.state_dir / PIN_NAME
        self._book: PolicyBook | None = None
        self.ledger = Ledger(
            open_engine(self.settings.database),
            keys,
            FileAnchor(self.settings.anchor_dir, self.settings.state_dir),
            lambda: self.now,
            lock_file=self.settings.lock_file,
            limits=PATIENT,
            on_step=on_step,
        )


class Lines(Hands):
    """Carries out by appending a line to a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    async def perform(self, action: Action, *, progress: Progress | None = None) -> Performed:
        append(self._path, action.id)
        return await super().perform(action, progress=progress)


def roomy_profile() -> str:
    """The workshop's profile with room for many actions."""
    text = PROFILE.replace("actions_per_run: 50", "actions_per_run: 100000")
    return text.replace("actions_per_hour: 80", "actions_per_hour: 1000000")


@cache
def _roomy() -> Profile:
    return parse_profile(roomy_profile().encode(), source="test").profile


def append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


def reopen(directory: Path, on_step: Callable[[str], None]) -> Workshop:
    town = Reopened(directory, on_step)
    run = make_context(town, _roomy(), wide=True)
    hands = Lines(directory / "effects")
    return Workshop(town, run, make_gate(town, run, hands, on_step=on_step), hands)


async def _act(directory: Path, shop: Workshop, actions: int = ACTIONS_EACH) -> None:
    await shop.gate.start()

    async def client() -> None:
        for _ in range(actions // CLIENTS):
            id_ = new_id("act")
            action = Action(id_, shop.run.run, ActionKind.TOOL, "read_folder", {"folder": "INBOX"})
            if isinstance(await shop.take(action), Done):
                append(directory / "replies", id_)

    await asyncio.gather(*[client() for _ in range(CLIENTS)])
    await shop.gate.close()


def _child(directory: Path, order: str, number: int) -> None:
    passed = 0

    def on_step(name: str) -> None:
        nonlocal passed
        if name == order:
            passed += 1
            if passed == number:
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(_act(directory, reopen(directory, on_step)))


def _try(directory: Path, order: str, number: int) -> int:
    child = os.fork()
    if child == 0:
        try:
            _child(directory, order, number)
        finally:
            os._exit(0)
    if order == "random":
        _kill_at(child, random.Random(number).uniform(*MOMENTS_S))  # noqa: S311 a seed makes a failure repeatable
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _kill_at(child: int, moment: float) -> None:
    """Kill a child once it has used so many seconds of the processor: a busy machine changes nothing."""
    clock = (~child << 3) | 2  # of another process: see clock_getcpuclockid(3) and <linux/posix-timers.h>
    while time.clock_gettime(clock) < moment and os.waitid(os.P_PID, child, _ENDED) is None:
        time.sleep(_LOOK_S)
    os.kill(child, signal.SIGKILL)


def _warm_up() -> None:
    with TemporaryDirectory() as place:
        directory = Path(place)
        make_workshop(directory, tier=0, profile=roomy_profile()).town.close()
        shop = reopen(directory, lambda _step: None)
        asyncio.run(_act(directory, shop, CLIENTS))
        shop.town.close()


def main() -> None:
    _warm_up()
    for line in sys.stdin:
        order, number, directory = line.rstrip("\n").split(" ", 2)
        sys.stdout.write(f"{_try(Path(directory), order, int(number))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
