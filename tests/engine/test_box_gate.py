"""The stdin gate: a box waits as a shell and becomes the agent when it is released, once."""

import subprocess

import pytest

from sandboxes import hijack
from sandboxes.context import visible_context
from sandboxes.docker_driver import DockerDriver
from sandboxes.driver import Box, Phase
from sandboxes.errors import BoxGoneError, ContextError, ReleaseError
from sandboxes.gate_script import gate_script
from sandboxes.outcome import Ending, outcome_of
from sandboxes.spec import Runtime
from tests.standins.boxes import BUSYBOX, SHELLLESS, Boxes, small_spec

pytestmark = pytest.mark.engine
AWKWARD = 'it\'s "quoted" $HOME `id` \\ \n second line\t#; } & | > /tmp/x \u00fc\u2603'


def test_the_agent_sees_exactly_the_environment_it_was_given(runtime: Runtime, boxes: Boxes) -> None:
    context = visible_context(command=["env", "-0"], task=AWKWARD, model="fast")
    box = boxes.started(small_spec(runtime))

    boxes.driver.release(box, ["sh", "-c", "cat /proc/self/environ"], context.environment)
    boxes.driver.wait(box)

    seen = b"".join(boxes.driver.logs(box)).decode().split("\0")
    got = dict(entry.split("=", 1) for entry in seen if entry)
    assert {name: value for name, value in got.items() if name not in ("PWD", "SHLVL")} == context.environment


def test_the_images_own_variables_are_in_no_process_of_the_box(runtime: Runtime, boxes: Boxes) -> None:
    """R-20, issue 4 item 1: an agent may read the environment of the first process, and of its parents."""
    image = "handrail-test/variables:1"
    recipe = f"FROM {BUSYBOX}\nENV GIT_COMMIT=4f2c9e1 COLOR=blue\n"
    subprocess.run(["docker", "build", "--tag", image, "-"], input=recipe.encode(), check=True)
    box = boxes.started(small_spec(runtime, image=image))

    boxes.driver.release(box, ["sh", "-c", "cat /proc/*/environ"], {"PATH": "/bin"})
    boxes.driver.wait(box)

    seen = b"".join(boxes.driver.logs(box))
    assert b"HOSTNAME=box" in seen
    assert b"GIT_COMMIT" not in seen
    assert b"COLOR" not in seen


def test_size_does_not_matter_up_to_the_kernels_own_limit(runtime: Runtime, boxes: Boxes) -> None:
    environment = {"PATH": "/bin"} | {f"V{number}": "'" * 30_000 for number in range(4)}

    box = boxes.started(small_spec(runtime))
    boxes.driver.release(box, ["sh", "-c", 'echo "${#V0} ${#V3}"'], environment)
    boxes.driver.wait(box)

    assert b"".join(boxes.driver.logs(box)) == b"30000 30000\n"


def test_the_longest_value_passes_and_one_byte_more_is_refused_by_name(boxes: Boxes) -> None:
    box = boxes.started(small_spec())
    longest = 128 * 1024 - len("TASK=") - 1

    with pytest.raises(ContextError, match="variable TASK: 131073 bytes"):
        boxes.driver.release(box, ["true"], {"PATH": "/bin", "TASK": "x" * (longest + 1)})
    boxes.driver.release(box, ["sh", "-c", "echo ${#TASK}"], {"PATH": "/bin", "TASK": "x" * longest})
    boxes.driver.wait(box)

    assert b"".join(boxes.driver.logs(box)) == f"{longest}\n".encode()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_release_runs_nothing(share: float, boxes: Boxes) -> None:
    """The braces make a half-written script a syntax error, wherever it breaks off."""
    box = boxes.started(small_spec())
    script = gate_script(["echo", "must not run"], {"PATH": "/bin", "TASK": "a; echo must not run\n" * 20})

    write_and_hang_up(box, script[: int(len(script) * share)])
    boxes.driver.kill(box)
    state = boxes.driver.wait(box)

    assert b"must not run" not in b"".join(boxes.driver.logs(box)).replace(b"a; echo must not run", b"")
    assert outcome_of(state, released=False).ending is Ending.NEVER_STARTED


def write_and_hang_up(box: Box, piece: bytes) -> None:
    request = hijack.request_bytes("POST", f"/containers/{box.id}/attach?stream=1&stdin=1", upgrade=True)
    with hijack.exchange("/var/run/docker.sock", request, 10) as (_, connection, _rest):
        connection.sendall(piece)


def test_the_agent_cannot_read_a_side_door_on_its_stdin(boxes: Boxes) -> None:
    """DESIGN section 5: stdin bytes are no side door."""
    box = boxes.released(small_spec(), "cat; echo end of input")
    boxes.driver.wait(box)

    assert b"".join(boxes.driver.logs(box)) == b"end of input\n"


def test_a_box_with_its_own_command_has_no_gate(boxes: Boxes) -> None:
    box = boxes.started(small_spec(image=SHELLLESS, command=("sleep", "60")))

    with pytest.raises(ReleaseError, match="no gate"):
        boxes.driver.release(box, ["true"], {})


def test_a_box_that_was_removed_cannot_be_released(boxes: Boxes) -> None:
    box = boxes.started(small_spec())
    boxes.driver.remove(box)

    with pytest.raises(BoxGoneError):
        boxes.driver.release(box, ["true"], {"PATH": "/bin"})


def test_a_box_that_does_not_run_cannot_be_released(boxes: Boxes) -> None:
    box = boxes.created(small_spec())

    with pytest.raises(ReleaseError, match="expected a running box"):
        boxes.driver.release(box, ["true"], {"PATH": "/bin"})


def test_a_gated_box_waits_until_it_is_released(runtime: Runtime, boxes: Boxes) -> None:
    box = boxes.started(small_spec(runtime))

    assert boxes.driver.inspect(box).phase is Phase.RUNNING
    assert b"".join(boxes.driver.logs(box)) == b""


def test_images_say_whether_they_can_wait_behind_the_gate(boxes: Boxes) -> None:
    driver: DockerDriver = boxes.driver

    assert driver.image(small_spec().image).has_shell
    assert not driver.image(SHELLLESS).has_shell
