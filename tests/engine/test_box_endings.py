"""Every way a box can end has a name, and nothing is left of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from runtime.clock import utc_now
from sandboxes.cgroups import read_limits
from sandboxes.channel import open_channel
from sandboxes.docker_driver import DockerDriver
from sandboxes.docker_options import pids_limit
from sandboxes.driver import Box, Phase
from sandboxes.errors import BoxGoneError, BoxStartError, EngineUnavailableError, ImageMissingError
from sandboxes.host_view import find_process, read_view
from sandboxes.outcome import Ending, StopCause, outcome_of
from sandboxes.reaper import sweep
from sandboxes.spec import BoxLimits, Runtime
from tests.standins.boxes import SHELLLESS, Boxes, small_spec

pytestmark = pytest.mark.engine
FORK_BOMB = "b() { b | b & }; b; sleep 1; exit 7"


@pytest.fixture(autouse=True)
def nothing_left_over(boxes: Boxes) -> Iterator[None]:
    """After each test its boxes are removed, and no container or process of them remains."""
    yield
    found = boxes.driver.list_boxes(boxes.owner)
    for box in found:
        boxes.driver.remove(box)
    assert boxes.driver.list_boxes(boxes.owner) == ()
    assert not [pid for pid in processes() for box in found if box.id in cgroup_of(pid)]


def processes() -> list[str]:
    return [path.name for path in Path("/proc").iterdir() if path.name.isdigit()]


def cgroup_of(pid: str) -> str:
    path = Path("/proc", pid, "cgroup")
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def ending_of(boxes: Boxes, box: Box, cause: StopCause | None = None) -> Ending:
    return outcome_of(boxes.driver.wait(box), released=True, cause=cause).ending


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("exit 0", Ending.EXITED),
        ("exit 3", Ending.FAILED),
        ("kill -SEGV $$; sleep 5", Ending.SIGNALLED),
        ("no-such-program", Ending.FAILED),
        ("dd if=/dev/zero of=/dev/null bs=400M count=1; exit 5", Ending.OUT_OF_MEMORY),
    ],
)
def test_an_agent_that_ends_by_itself_has_a_named_ending(
    script: str, ending: Ending, runtime: Runtime, boxes: Boxes
) -> None:
    box = boxes.released(small_spec(runtime), script)

    assert ending_of(boxes, box) is ending


def test_a_fork_bomb_meets_the_pids_limit_and_dies_with_the_box(runtime: Runtime, boxes: Boxes) -> None:
    box = boxes.released(small_spec(runtime), FORK_BOMB)
    channel = open_channel(boxes.driver, box)
    pids = next(
        path for path in read_limits(read_view(channel.process).cgroups).procs_files if "pids" in str(path)
    )
    assert len(pids.read_text().split()) <= pids_limit(small_spec(runtime))

    boxes.driver.kill(box)
    channel.close()

    assert ending_of(boxes, box, StopCause.KILLED) is Ending.KILLED


def test_a_box_past_its_time_limit_is_swept_and_says_so(runtime: Runtime, boxes: Boxes) -> None:
    spec = small_spec(runtime, limits=BoxLimits(memory_mib=64, pids=32, wall_seconds=60))
    box = boxes.released(spec, "sleep 600")

    assert sweep(boxes.driver, boxes.owner, now=utc_now()) == ()
    swept = sweep(boxes.driver, boxes.owner, now=utc_now() + timedelta(seconds=61))

    assert swept == (box,)
    assert ending_of(boxes, box, StopCause.TIME_LIMIT) is Ending.TIME_LIMIT


def test_killing_a_box_kills_children_that_left_their_session(runtime: Runtime, boxes: Boxes) -> None:
    """DESIGN section 5: killing a run kills `setsid` children too."""
    box = boxes.released(small_spec(runtime), "setsid sleep 600 & setsid sleep 601 & echo ready; wait")
    next(boxes.driver.logs(box, follow=True))
    group = cgroup_of(str(find_process(boxes.driver, box).pid))

    boxes.driver.kill(box)
    boxes.driver.wait(box)

    assert box.id in group
    assert not [pid for pid in processes() if box.id in cgroup_of(pid)]


def test_a_log_flood_is_cut_and_does_not_stall_the_agent(runtime: Runtime, boxes: Boxes) -> None:
    """16 MiB written against a log of 1 MiB: the agent ends by itself, the newest part is kept."""
    spec = small_spec(runtime, limits=BoxLimits(memory_mib=64, pids=32, log_mib=1))
    box = boxes.released(spec, "yes 0123456789abcdef | head -c 16777216; echo the end")

    assert ending_of(boxes, box) is Ending.EXITED
    kept = b"".join(boxes.driver.logs(box))
    assert kept.endswith(b"the end\n")
    assert len(kept) < 2 * 1024 * 1024


def test_a_box_killed_by_the_engines_owner_ended_by_signal(runtime: Runtime, boxes: Boxes) -> None:
    box = boxes.released(small_spec(runtime), "sleep 600")
    client = docker.APIClient(version="auto")
    client.kill(box.id)
    client.close()

    assert ending_of(boxes, box) is Ending.SIGNALLED


def test_a_box_removed_behind_our_back_is_lost_not_failed(boxes: Boxes) -> None:
    box = boxes.released(small_spec(), "sleep 600")
    client = docker.APIClient(version="auto")
    client.remove_container(box.id, force=True)
    client.close()

    with pytest.raises(BoxGoneError):
        boxes.driver.inspect(box)
    assert outcome_of(None, released=True).ending is Ending.LOST


def test_a_box_stopped_by_a_person_says_so(boxes: Boxes) -> None:
    box = boxes.released(small_spec(), "sleep 600")
    boxes.driver.kill(box)

    assert ending_of(boxes, box, StopCause.STOPPED) is Ending.STOPPED


def test_killing_and_removing_twice_is_quiet(boxes: Boxes) -> None:
    box = boxes.released(small_spec(), "exit 0")
    boxes.driver.wait(box)

    boxes.driver.kill(box)
    boxes.driver.remove(box)
    boxes.driver.kill(box)
    boxes.driver.remove(box)

    assert boxes.driver.list_boxes(boxes.owner) == ()


def test_a_box_never_released_never_started(boxes: Boxes) -> None:
    box = boxes.started(small_spec())
    boxes.driver.kill(box)

    assert outcome_of(boxes.driver.wait(box), released=False).ending is Ending.NEVER_STARTED


def test_a_command_the_image_lacks_ends_as_failed_start(boxes: Boxes) -> None:
    """Under init the box starts and its command fails at once; no agent output is made up for it."""
    box = boxes.created(small_spec(image=SHELLLESS, command=("no-such-program",)))

    boxes.driver.start(box)

    assert outcome_of(boxes.driver.wait(box), released=True).ending is Ending.FAILED


def test_a_box_the_runtime_cannot_build_is_a_start_error(boxes: Boxes) -> None:
    def broken(arguments: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
        return arguments | {"HostConfig": arguments["HostConfig"] | {"Sysctls": {"net.no.such": "1"}}}

    box = boxes.created(small_spec(), broken)

    with pytest.raises(BoxStartError, match="start box"):
        boxes.driver.start(box)


def test_a_missing_image_is_named_and_never_pulled(boxes: Boxes) -> None:
    with pytest.raises(ImageMissingError, match="no-such-image:9"):
        boxes.created(small_spec(image="handrail-test/no-such-image:9"))


@pytest.mark.parametrize("engine", ["tcp://127.0.0.1:2375", "ssh://host", "unix:///nowhere/docker.sock"])
def test_a_remote_or_absent_engine_is_refused(engine: str) -> None:
    with pytest.raises(EngineUnavailableError, match=engine.partition(":")[0]):
        DockerDriver(engine)


def test_boxes_are_listed_by_owner_with_all_they_need_to_be_taken_up_again(boxes: Boxes) -> None:
    """After a restart of serve the handle is rebuilt from the engine."""
    box = boxes.started(small_spec(labels={"run": "run-abc"}))

    assert boxes.driver.list_boxes(boxes.owner) == (box,)
    assert box.labels == {"run": "run-abc"}
    assert boxes.driver.list_boxes("someone-else") == ()
    assert boxes.driver.inspect(box).phase is Phase.RUNNING


def test_exec_runs_as_the_boxes_own_user_and_group(runtime: Runtime, boxes: Boxes) -> None:
    """A bare uid would bring group 0 with it."""
    box = boxes.started(small_spec(runtime, uid=4711, gid=4712))

    result = boxes.driver.exec(box, ["id"])

    assert result.exit_code == 0
    assert result.stdout.split()[:2] == [b"uid=4711", b"gid=4712"]


def test_exec_output_is_cut_at_its_limit(boxes: Boxes) -> None:
    box = boxes.started(small_spec())

    result = boxes.driver.exec(box, ["sh", "-c", "yes | head -c 3000000; echo oops >&2; exit 9"])

    assert (result.exit_code, len(result.stdout), result.stderr) == (9, 1024 * 1024, b"oops\n")


def test_descriptors_do_not_grow_with_the_number_of_boxes(boxes: Boxes) -> None:
    """Channels, streams and engine connections are all given back; the SDK keeps a bounded few."""
    counts = []
    for _ in range(5):
        for _ in range(4):
            box = boxes.started(small_spec())
            open_channel(boxes.driver, box).close()
            boxes.driver.exec(box, ["true"])
            boxes.driver.remove(box)
        counts.append(len(list(Path("/proc/self/fd").iterdir())))

    assert counts[4] <= counts[2]


def test_many_callers_share_one_driver(boxes: Boxes) -> None:
    """Serve launches from several threads at once."""

    def live(number: int) -> tuple[int, bytes]:
        box = boxes.released(small_spec(), f"echo {number}; exit {number}")
        code = boxes.driver.wait(box).exit_code
        written = b"".join(boxes.driver.logs(box))
        boxes.driver.remove(box)
        return code or 0, written

    with ThreadPoolExecutor(max_workers=6) as pool:
        lived = list(pool.map(live, range(12)))

    assert lived == [(number, f"{number}\n".encode()) for number in range(12)]
