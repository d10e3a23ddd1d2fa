"""What stops a launch: nothing is left half made, and what is wrong has a name."""

import os
from collections.abc import Iterator

import docker
import pytest

from profiles.effects import Effect
from runtime.deployments import DeploymentError
from runtime.runs.states import LaunchRequest, RunError
from runtime.upstreams.errors import ManifestChangedError
from sandboxes.errors import ContextError, ImageMissingError
from tests.flows.conftest import serve_clock
from tests.standins.boxes import BUSYBOX, SHELLLESS
from tests.standins.flow_profiles import PLAIN, TICKER
from tests.standins.house import OPERATOR, House, patiently

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("box_images")]

FOR_EVER = ("sh", "-c", "setsid sleep 1000 & sleep 1000")


def test_an_upstream_that_offers_something_else_stops_the_launch_and_takes_the_grants(house: House) -> None:
    """R-76: the image is the same, what it offers is not."""
    serve_clock(house)
    deployment = house.deploy(TICKER, "ticker")
    house.grant(deployment, Effect.DRAFT)
    assert house.launch(deployment, {"call": "tick"}).finished()[0]["text"] == "tock"
    serve_clock(house, "ignore_all_previous_instructions")
    with pytest.raises(ManifestChangedError, match="clock"):
        house.launch(deployment, {"call": "tick"})
    (last,) = house.rows("SELECT outcome FROM run ORDER BY requested_at DESC LIMIT 1")
    assert last.outcome == "never_started"
    standing = "SELECT count(*) FROM effect_grant WHERE deployment = :d AND revoked_at IS NULL"
    assert house.rows(standing, d=deployment) == [(0,)]
    assert house.rows("SELECT count(*) FROM log_entry WHERE kind = 'deployment.suspended'") == [(1,)]
    serve_clock(house)
    with pytest.raises(RunError, match="no standing `read` grant"):
        house.launch(deployment, {"call": "tick"})


@pytest.fixture
def tag(box_images: None) -> Iterator[str]:  # noqa: ARG001 - the image must be there first
    """An image name of this test's own."""
    name, client = f"handrail-test/moving-{os.getpid()}:1", docker.APIClient(version="auto")
    point(client, BUSYBOX, name)
    yield name
    client.remove_image(name, noprune=True)
    client.close()


def point(client: docker.APIClient, image: str, name: str) -> None:
    assert client.tag(image, *name.split(":"))  # type: ignore[no-untyped-call]  # the stubs leave it untyped


def test_an_image_that_changed_since_it_was_pinned_is_not_launched(house: House, tag: str) -> None:
    deployment = house.deploy(PLAIN.replace(BUSYBOX, tag))
    client = docker.APIClient(version="auto")
    point(client, SHELLLESS, tag)
    client.close()
    with pytest.raises(RunError, match=f"image {tag} is"):
        house.launch(deployment, command=("true",))
    assert house.boxes() == []


@pytest.fixture
def with_volumes(tag: str) -> Iterator[str]:
    """An image with the volumes that a box covers, and a name for one with another beside them."""
    client = docker.APIClient(version="auto")
    made = client.create_container(BUSYBOX, command=["sh"])["Id"]
    name, beside = tag.partition(":")[0], f"{tag.partition(':')[0]}:volumes"
    covered = ["VOLUME /tmp", "VOLUME /home/agent"]
    client.commit(made, name, "1", changes=covered)
    client.commit(made, name, "volumes", changes=[*covered, "VOLUME /data"])
    client.remove_container(made)
    yield tag
    client.remove_image(beside, noprune=True)
    client.close()


def test_a_volume_of_the_image_itself_is_told_when_it_is_deployed(house: House, with_volumes: str) -> None:
    """Where scratch space is mounted it does no harm; elsewhere every launch would be refused."""
    house.launch(house.deploy(PLAIN.replace(BUSYBOX, with_volumes)), command=("true",))
    patiently(lambda: not house.boxes())

    with pytest.raises(DeploymentError, match=r"VOLUME /data` in it.*take the line out"):
        house.deploy(PLAIN.replace(BUSYBOX, with_volumes.replace(":1", ":volumes")), "other")


def test_an_image_that_is_missing_is_named(house: House) -> None:
    with pytest.raises(ImageMissingError, match="handrail-test/nowhere:1"):
        house.deploy(PLAIN.replace(BUSYBOX, "handrail-test/nowhere:1"))


def test_a_volume_that_is_missing_is_named(house: House) -> None:
    with pytest.raises(Exception, match="no directory for volume 'clock'"):
        house.deploy(TICKER)


def test_a_launch_that_is_given_up_leaves_nothing(house: House) -> None:
    request = LaunchRequest(deployment=house.deploy(PLAIN), operator=OPERATOR, command=("true",))

    launching = house.start(house.kernel.runs.start(request))
    patiently(lambda: house.rows("SELECT 1 FROM run"))
    launching.cancel()
    patiently(lambda: house.rows("SELECT 1 FROM run WHERE state = 'ended'"))
    assert house.boxes() == []
    assert house.rows("SELECT outcome FROM run") == [("never_started",)]


def test_a_launch_without_any_command_says_what_to_give(house: House) -> None:
    with pytest.raises(RunError, match=r"profile plain names no `command`.*handrail launch clerk -- PROGRAM"):
        house.launch(house.deploy(PLAIN))
    assert house.rows("SELECT count(*) FROM run") == [(0,)]


def test_a_task_that_no_box_could_carry_is_refused_before_anything_is_made(house: House) -> None:
    deployment = house.deploy(PLAIN)
    with pytest.raises(ContextError, match="TASK"):
        house.launch(deployment, command=("true",), task="x" * 200_000)
    assert house.rows("SELECT count(*) FROM run") == [(0,)]


def test_a_frozen_agent_is_refused_before_anything_is_made(house: House) -> None:
    """R-64; `tests/runtime/runs/test_permitted.py` has every case."""
    deployment = house.deploy(PLAIN)
    house.freeze("clerk")
    with pytest.raises(
        RunError, match=r"agent clerk is frozen: a test \(by olga\).*handrail unfreeze freeze-"
    ):
        house.launch(deployment, command=("true",))
    assert house.boxes() == []
    assert house.rows("SELECT count(*) FROM run") == [(0,)]


def test_a_launch_that_is_stopped_before_its_release_runs_nothing(house: House) -> None:
    request = LaunchRequest(deployment=house.deploy(PLAIN), operator=OPERATOR, command=FOR_EVER)
    launching = house.start(house.kernel.runs.start(request))
    ((run,),) = patiently(lambda: house.rows("SELECT id FROM run"))
    view = house.do(house.kernel.runs.stop(run))
    assert view.outcome == "stopped"
    with pytest.raises(RunError, match="not waiting for its release"):
        launching.result(60)
    assert house.boxes() == []
    assert house.rows("SELECT count(*) FROM log_entry WHERE kind = 'run.released'") == [(0,)]
    assert house.rows("SELECT count(*) FROM log_entry WHERE kind = 'run.ended'") == [(1,)]


def test_a_stop_between_the_committed_release_and_the_end_of_the_launch_ends_the_box(house: House) -> None:
    """An image without a shell is released first; its launch then waits for an upstream that is slow."""
    serve_clock(house)
    server, gate = house.volume("clock") / "server.py", house.volume("clock") / "go"
    waiting = (
        f"import pathlib, time\nwhile not pathlib.Path('/srv/clock/{gate.name}').exists(): time.sleep(0.05)\n"
    )
    server.write_text(waiting + server.read_text())
    gate.touch()
    deployment = house.deploy(TICKER.replace("image: handrail/agent:1", f"image: {SHELLLESS}", 1))
    gate.unlink()
    request = LaunchRequest(deployment=deployment, operator=OPERATOR, command=("/bin/sleep", "1000"))
    launching = house.start(house.kernel.runs.start(request))
    ((run,),) = patiently(lambda: house.rows("SELECT id FROM run WHERE state = 'running'"))
    stopping = house.start(house.kernel.runs.stop(run))
    patiently(lambda: house.boxes("agent"))
    gate.touch()
    assert stopping.result(60).outcome == "stopped"
    assert launching.result(60).id == run
    assert house.boxes() == []
