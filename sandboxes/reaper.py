"""Ends boxes past their expiry, whether or not `serve` is still there.

A process of its own, detached from whoever started it: `python -m sandboxes.reaper --state ID --lock FILE`.
An agent can stop any timer inside its box, so its lifetime is enforced from here. Killing a box kills its
whole process namespace, children that left their session (`setsid`) included.

Rules:

1. At most one reaper runs per state directory: it holds a lock on a file there, else it leaves at once.
2. It ends when no box of its state directory is left that could run; having given up the lock, it looks once
   more.
3. An expiry seen once can only come nearer: stepping the clock back revives nothing.
4. It acts a grace period after the expiry, so that a living `serve` ends the box first and records why.
5. It outlives a restart of its engine; where its state directory is removed as well, it ends.
6. An agent's box is killed and left there, for the next `serve` to read how it ended and what it wrote; every
   other box is removed, and so is one that does not die.
"""

import argparse
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sandboxes.docker_driver import DEFAULT_ENGINE, DockerDriver
from sandboxes.driver import Box, Phase, SandboxDriver
from sandboxes.errors import EngineUnavailableError, SandboxError
from sandboxes.labels import is_agents

GRACE_S = 15.0
POLL_S = 2.0


def due(boxes: tuple[Box, ...], *, now: datetime) -> tuple[Box, ...]:
    """The boxes whose time is up at `now`."""
    return tuple(box for box in boxes if box.expires_at <= now)


def sweep(driver: SandboxDriver, owner: str, *, now: datetime) -> tuple[Box, ...]:
    """Kill every box of an owner that is past its expiry, and return them.

    Args:
        driver: the engine that holds the boxes.
        owner: the state directory's id.
        now: the caller's clock.

    The boxes are killed, not removed, so that the caller can still read how they ended.
    """
    overdue = due(driver.list_boxes(owner), now=now)
    for box in overdue:
        driver.kill(box)
    return overdue


class Deadlines:
    """When each box ends, on a clock nobody can step back. Pure: both clocks are arguments.

    Args:
        grace_s: seconds after its expiry that a box is left to `serve`.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._ends_at: dict[str, float] = {}

    def overdue(self, boxes: tuple[Box, ...], *, now: datetime, uptime_s: float) -> tuple[Box, ...]:
        """The boxes to end, given the wall clock and the seconds since boot.

        Returns:
            Boxes past the nearest deadline ever seen for them. Boxes no longer listed are forgotten.
        """
        self._ends_at = {box.id: self._nearest(box, now, uptime_s) for box in boxes}
        return tuple(box for box in boxes if self._ends_at[box.id] <= uptime_s)

    def _nearest(self, box: Box, now: datetime, uptime_s: float) -> float:
        seen_now = uptime_s + (box.expires_at - now).total_seconds() + self._grace_s
        return min(seen_now, self._ends_at.get(box.id, seen_now))


def reap(driver: SandboxDriver, owner: str, lock: Path, deadlines: Deadlines, poll_s: float = POLL_S) -> None:
    """End boxes as they fall due, until none is left to end or another reaper holds the lock."""
    ended: set[str] = set()
    while _left(driver, owner, ended):
        with held(lock) as ours:
            if not ours:
                return
            while not _none_is_left(driver, owner, deadlines, ended):
                if not lock.exists() and not _answers(driver, owner):
                    return
                time.sleep(poll_s)


def _left(driver: SandboxDriver, owner: str, ended: Container[str]) -> tuple[Box, ...]:
    return tuple(box for box in driver.list_boxes(owner) if box.id not in ended)


def _none_is_left(driver: SandboxDriver, owner: str, deadlines: Deadlines, ended: set[str]) -> bool:
    try:
        boxes = _left(driver, owner, ended)
        for box in deadlines.overdue(boxes, now=_now(), uptime_s=time.clock_gettime(time.CLOCK_BOOTTIME)):
            if is_agents(box) and _died(driver, box):
                ended.add(box.id)
            else:
                driver.remove(box)
    except EngineUnavailableError as cause:
        # Boxes outlive a restart of their engine, so this must too.
        sys.stderr.write(f"reaper: {cause}; trying again\n")
        return False
    return boxes == ()


def _answers(driver: SandboxDriver, owner: str) -> bool:
    try:
        driver.list_boxes(owner)
    except EngineUnavailableError:
        return False
    return True


def _died(driver: SandboxDriver, box: Box) -> bool:
    """Kill a box and see that nothing runs in it any more."""
    try:
        driver.kill(box)
        return driver.inspect(box).phase in (Phase.EXITED, Phase.CREATED)
    except EngineUnavailableError:
        raise
    except SandboxError:
        return False  # it is gone, or refuses: removing it settles both


@contextmanager
def held(lock: Path) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields False when another process has it."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start_reaper(owner: str, lock: Path, engine: str = DEFAULT_ENGINE, grace_s: float = GRACE_S) -> None:
    """Start a reaper that outlives the caller, unless one is there. Call it after a box was made.

    Args:
        owner: the state directory's id.
        lock: lock file in the state directory.
        engine: the engine's address.
        grace_s: seconds after its expiry that a box is left to `serve`.

    Raises:
        SandboxError: the process could not be started.
    """
    with held(lock) as free:
        if not free:
            return
    words = ["--state", owner, "--lock", str(lock), "--engine", engine, "--grace-seconds", str(grace_s)]
    home = Path(__file__).parents[1]
    started = subprocess.run(
        [sys.executable, "-m", "sandboxes.reaper", *words, "--detach"],
        cwd=home,
        env={"PYTHONPATH": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if started.returncode != 0:
        raise SandboxError(f"reaper for {owner}: exit code {started.returncode} at its start, expected 0")


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(prog="sandboxes.reaper", description="End boxes past their expiry.")
    parser.add_argument("--state", required=True, help="id of the state directory whose boxes are watched")
    parser.add_argument("--lock", required=True, type=Path, help="lock file in that directory")
    parser.add_argument("--engine", default=DEFAULT_ENGINE, help="address of the engine")
    parser.add_argument("--grace-seconds", default=GRACE_S, type=float, help="time left to serve")
    parser.add_argument("--detach", action="store_true", help="go on in a session of its own")
    chosen = parser.parse_args(arguments)
    if chosen.detach and os.fork() > 0:
        os._exit(0)
    if chosen.detach:
        os.setsid()
    reap(DockerDriver(chosen.engine), chosen.state, chosen.lock, Deadlines(chosen.grace_seconds))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a process of its own; this is its only clock


if __name__ == "__main__":
    main()
