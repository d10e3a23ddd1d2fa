"""The engine itself stops: boxes are lost by name, never by guess, and taken up again when it returns.

A second engine of this test's own is stopped; the machine's engine is left alone.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.clock import utc_now
from sandboxes import hijack
from sandboxes.channel import open_channel
from sandboxes.docker_driver import DockerDriver
from sandboxes.driver import Box
from sandboxes.errors import EngineUnavailableError
from sandboxes.host_view import PROC
from sandboxes.outcome import Ending, outcome_of
from tests.standins.boxes import make_images, small_spec

pytestmark = pytest.mark.engine
STARTED_WITHIN_S = 60


class PrivateEngine:
    """A dockerd with its own directories and socket, in a network of its own.

    The network matters: a second engine in the host's would take the first one's bridge away.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"unix://{place}/engine.sock"

    def start(self) -> None:
        """Start it and wait until it answers."""
        names = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
        options = [f"--{option}={self._place / name}" for option, name in names.items()]
        quiet = ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        quiet += [f"--config-file={self._place / 'config.json'}"]
        quiet += ["--containerd-namespace=box-test", "--containerd-plugins-namespace=box-test-plugins"]
        (self._place / "config.json").write_text("{}")
        log = (self._place / "log").open("ab")
        command = ["unshare", "--net", "dockerd", "-H", self.address, *options, *quiet]
        self._process = subprocess.Popen(command, stdout=log, stderr=log)
        log.close()
        until = time.monotonic() + STARTED_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, (self._place / "log").read_text()[-2000:]
            assert time.monotonic() < until, (self._place / "log").read_text()[-2000:]
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end and wait until it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None

    def _answers(self) -> bool:
        request = hijack.request_bytes("GET", "/_ping")
        try:
            with hijack.exchange(self.address.removeprefix("unix://"), request, 5) as (status, _, _rest):
                return status == 200
        except (OSError, ValueError):
            return False


@pytest.fixture
def engine() -> Iterator[PrivateEngine]:
    """A private engine that holds the test images. Its place has a short path: socket names are short."""
    if shutil.which("dockerd") is None:
        pytest.skip("this host has no dockerd to start a second engine with")
    place = Path("/tmp") / f"box-engine-{time.monotonic_ns()}"
    place.mkdir(mode=0o700)
    private = PrivateEngine(place)
    try:
        private.start()
        make_images(private.address)
        yield private
    finally:
        private.stop()
        shutil.rmtree(place, ignore_errors=True)


def running_box(driver: DockerDriver) -> Box:
    box = driver.create(small_spec(), owner="engine-stop", now=utc_now())
    driver.start(box)
    driver.release(box, ["sleep", "600"], {"PATH": "/bin"})
    return box


def processes_of(box: Box) -> list[str]:
    groups = ((path.parent.name, path) for path in PROC.glob("[0-9]*/cgroup"))
    found = []
    for pid, path in groups:
        try:
            if box.id in path.read_text():
                found.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_a_stopped_engine_is_unavailable_and_its_boxes_are_found_again(engine: PrivateEngine) -> None:
    """Issue 1, item 4, "engine stop": the ending has a name and nothing is left over."""
    driver = DockerDriver(engine.address)
    box = running_box(driver)

    engine.stop()
    with pytest.raises(EngineUnavailableError, match="does not answer"):
        driver.inspect(box)
    with pytest.raises(EngineUnavailableError):
        open_channel(driver, box)
    assert processes_of(box) == []

    engine.start()
    assert driver.list_boxes("engine-stop") == (box,)
    assert outcome_of(driver.inspect(box), released=True).ending is Ending.SIGNALLED
    driver.remove(box)
    driver.close()
