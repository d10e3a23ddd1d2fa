"""Real boxes for tests: small images built without a network, and a keeper that removes what it made."""

import io
import shutil
import subprocess
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest

from runtime.clock import utc_now
from sandboxes.docker_driver import Alter, DockerDriver
from sandboxes.driver import Box
from sandboxes.spec import BoxLimits, BoxSpec, Runtime

BUSYBOX, SHELLLESS, BASE = "handrail-test/busybox:3", "handrail-test/shellless:3", "handrail/base:1"
APPLETS = (
    "sh", "env", "sleep", "cat", "echo", "id", "ls", "dd", "head", "tr", "true", "touch", "mount", "setsid",
    "kill", "nc", "yes", "hostname", "ps", "wc", "grep", "find", "od", "mkdir", "cp", "chmod",
)  # fmt: skip
SMALL = BoxLimits(memory_mib=64, pids=32)


def small_spec(runtime: Runtime = Runtime.RUNC, **changes: Any) -> BoxSpec:
    """A gated busybox with little of everything."""
    chosen: dict[str, Any] = {"image": BUSYBOX, "limits": SMALL, "runtime": runtime} | changes
    return BoxSpec(**chosen)


class Boxes:
    """Makes boxes of one owner and removes every one of them at the end."""

    def __init__(self) -> None:
        self.owner = f"test-{uuid.uuid4().hex[:12]}"
        self.driver = DockerDriver()

    def created(self, spec: BoxSpec, alter: Alter | None = None) -> Box:
        """Make a box, from altered arguments if asked."""
        maker = DockerDriver(alter=alter) if alter else self.driver
        try:
            return maker.create(spec, owner=self.owner, now=utc_now())
        finally:
            if alter:
                maker.close()

    def started(self, spec: BoxSpec, alter: Alter | None = None) -> Box:
        """Make and start a box."""
        box = self.created(spec, alter)
        self.driver.start(box)
        return box

    def released(self, spec: BoxSpec, script: str, **variables: str) -> Box:
        """Make, start and release a box that runs a shell script."""
        box = self.started(spec)
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/home/agent"} | variables
        self.driver.release(box, ["sh", "-c", script], environment)
        return box

    def output(self, spec: BoxSpec, script: str, **variables: str) -> str:
        """Run a shell script in a box to its end and return what it wrote."""
        box = self.released(spec, script, **variables)
        self.driver.wait(box)
        return b"".join(self.driver.logs(box)).decode(errors="replace")

    @contextmanager
    def one(self, spec: BoxSpec, alter: Alter | None = None) -> Iterator[Box]:
        """A started box for the length of a block."""
        box = self.created(spec, alter)
        try:
            self.driver.start(box)
            yield box
        finally:
            self.driver.remove(box)

    def clear(self) -> None:
        """Remove every box of this owner."""
        for box in self.driver.list_boxes(self.owner):
            self.driver.remove(box)
        self.driver.close()


@pytest.fixture(scope="session")
def box_images() -> None:
    """Busybox with a shell, and the same binary with no shell in reach."""
    make_images("unix:///var/run/docker.sock")


def make_images(engine: str) -> None:
    """Import the two images into an engine that lacks them."""
    client = docker.APIClient(engine, version="auto")
    try:
        if not all(_present(client, name) for name in (BUSYBOX, SHELLLESS)):
            with tempfile.TemporaryDirectory() as scratch:
                binary = _busybox(Path(scratch))
                _import(client, BUSYBOX, binary, APPLETS)
                _import(client, SHELLLESS, binary, ("sleep", "cat"))
    finally:
        client.close()


@pytest.fixture
def boxes(box_images: None) -> Iterator[Boxes]:  # noqa: ARG001 - the images must be there first
    """A keeper of real boxes."""
    keeper = Boxes()
    try:
        yield keeper
    finally:
        keeper.clear()


@pytest.fixture
def base_image() -> str:
    """The shipped base image, built when it is missing."""
    client = docker.APIClient(version="auto")
    try:
        if not _present(client, BASE):
            subprocess.run(["make", "base-image"], check=True)
    finally:
        client.close()
    return BASE


@pytest.fixture(params=[Runtime.RUNC, pytest.param(Runtime.RUNSC, marks=pytest.mark.gvisor)])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    """Each wall a box can have; gVisor only where the engine knows it."""
    chosen: Runtime = request.param
    needs(chosen)
    return chosen


def needs(runtime: Runtime) -> None:
    """Skip, aloud, when the engine lacks a runtime."""
    driver = DockerDriver()
    try:
        if runtime not in driver.runtimes():
            pytest.skip(f"the engine has no {runtime} runtime")
    finally:
        driver.close()


def _present(client: Any, name: str) -> bool:
    try:
        client.inspect_image(name)
    except docker.errors.ImageNotFound:
        return False
    return True


def _busybox(scratch: Path) -> Path:
    installed = shutil.which("busybox")
    if (
        installed
        and b"statically" in subprocess.run(["file", installed], capture_output=True, check=False).stdout
    ):
        return Path(installed)
    subprocess.run(["apt-get", "download", "busybox-static"], cwd=scratch, check=True)
    package = next(scratch.glob("busybox-static*.deb"))
    subprocess.run(["dpkg-deb", "-x", str(package), str(scratch / "root")], check=True)
    return next(path for path in scratch.glob("root/**/busybox") if path.is_file())


def _import(client: Any, name: str, binary: Path, applets: tuple[str, ...]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(binary, f"bin/{applets[0]}")
        for applet in applets[1:]:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, applets[0]
            tar.addfile(link)
    repository, tag = name.split(":")
    client.import_image_from_data(packed.getvalue(), repository=repository, tag=tag)
