"""The reaper: a process of its own that ends boxes on time, whether or not `serve` still lives."""

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from runtime.clock import utc_now
from sandboxes.docker_driver import DockerDriver
from sandboxes.driver import Box, Phase
from sandboxes.outcome import StopCause, cause_of
from sandboxes.reaper import Deadlines, held, reap, start_reaper
from sandboxes.spec import Runtime
from tests.standins.boxes import Boxes, small_spec

pytestmark = pytest.mark.engine
STARTER = """
import sys
from pathlib import Path
from sandboxes.reaper import start_reaper
start_reaper(sys.argv[1], Path(sys.argv[2]), grace_s=0)
"""


def overdue(boxes: Boxes, runtime: Runtime = Runtime.RUNC, **labels: str) -> Box:
    """A released box, its time limit passed an hour ago, with a child that left its session."""
    made = boxes.driver.create(
        small_spec(runtime, labels=labels), owner=boxes.owner, now=utc_now() - timedelta(hours=2)
    )
    boxes.driver.start(made)
    boxes.driver.release(made, ["sh", "-c", "echo begun; setsid sleep 600 & sleep 601"], {"PATH": "/bin"})
    until = time.monotonic() + 30
    while not b"".join(boxes.driver.logs(made)) and time.monotonic() < until:
        time.sleep(0.1)
    return made


def gone_within(driver: DockerDriver, owner: str, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while driver.list_boxes(owner):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def free_within(lock: Path, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with held(lock) as ours:
            if ours:
                return True
        time.sleep(0.1)
    return False


def test_a_reaper_ends_a_box_after_whoever_started_it_is_dead(
    runtime: Runtime, boxes: Boxes, tmp_path: Path
) -> None:
    """Serve crashes; the box still ends on time, and then the reaper ends too."""
    lock = tmp_path / "reaper.lock"
    overdue(boxes, runtime)

    subprocess.run([sys.executable, "-c", STARTER, boxes.owner, str(lock)], check=True)

    assert gone_within(boxes.driver, boxes.owner, 30)
    assert free_within(lock, 30)


def test_a_reaper_leaves_boxes_alone_whose_time_is_not_up(boxes: Boxes, tmp_path: Path) -> None:
    late, early = overdue(boxes), boxes.started(small_spec())

    start_reaper(boxes.owner, tmp_path / "reaper.lock", grace_s=0)

    until = time.monotonic() + 30
    while late in boxes.driver.list_boxes(boxes.owner) and time.monotonic() < until:
        time.sleep(0.1)
    assert boxes.driver.list_boxes(boxes.owner) == (early,)


def test_a_reaper_leaves_an_agents_box_stopped_for_the_next_serve_to_read(
    runtime: Runtime, boxes: Boxes, tmp_path: Path
) -> None:
    other, agents = overdue(boxes), overdue(boxes, runtime, part="agent")

    reap(boxes.driver, boxes.owner, tmp_path / "lock", Deadlines(0))

    state = boxes.driver.inspect(agents)
    assert (state.phase, state.exit_code) == (Phase.EXITED, 137)
    assert cause_of(state, expires_at=agents.expires_at) is StopCause.TIME_LIMIT
    assert b"".join(boxes.driver.logs(agents)) == b"begun\n"
    assert other not in boxes.driver.list_boxes(boxes.owner)


def test_a_reaper_never_touches_another_state_directorys_boxes(boxes: Boxes, tmp_path: Path) -> None:
    mine = overdue(boxes)

    reap(boxes.driver, f"{boxes.owner}-other", tmp_path / "lock", Deadlines(0))

    assert boxes.driver.list_boxes(boxes.owner) == (mine,)


def test_a_second_reaper_leaves_at_once(boxes: Boxes, tmp_path: Path) -> None:
    lock, mine = tmp_path / "reaper.lock", overdue(boxes)

    with held(lock) as first:
        reap(boxes.driver, boxes.owner, lock, Deadlines(0))

        assert first
        assert boxes.driver.list_boxes(boxes.owner) == (mine,)


def test_a_reaper_without_boxes_ends(boxes: Boxes, tmp_path: Path) -> None:
    reap(boxes.driver, boxes.owner, tmp_path / "lock", Deadlines(0))

    assert not (tmp_path / "lock").exists()
