"""Volumes with an end, in real boxes: full, shared, left behind by a crash, damaged, and taken away."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from profiles.schema import Profile, StdioUpstream
from runtime.upstreams.boxed import BoxedLines, BoxRoom, start_boxed
from runtime.upstreams.errors import UpstreamUnavailableError
from sandboxes.disk_image import MIB, make_image
from sandboxes.docker_driver import DockerDriver
from sandboxes.errors import VolumeError
from sandboxes.loop import attach
from sandboxes.spec import Runtime
from sandboxes.volumes import VolumeStore
from tests.standins.altered import walls
from tests.standins.boxes import BUSYBOX, Boxes
from tests.standins.house import patiently
from tests.standins.profiles import make_profile

pytestmark = pytest.mark.engine
SIZE_MIB = 16
VOLUME = {"source": "mail", "target": "/data", "read_only": False, "size_mib": SIZE_MIB}
UNSIZED = {"source": "mail", "target": "/data", "read_only": False}
FILL = """
cd /data; dd if=/dev/zero of=full bs=65536 count=1000 2>&1 | grep -o 'No space left on device'
echo hello >/tmp/x && cat /tmp/x; wc -c <full; echo over; cat
"""
WAIT = "echo there; cat"
ATTACH = """
import pathlib, sys
from sandboxes.loop import attach
device = attach(pathlib.Path(sys.argv[1]))
print(device.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store(tmp_path: Path) -> VolumeStore:
    return VolumeStore(tmp_path / "volumes")


def server(script: str) -> Profile:
    upstream = {"kind": "stdio", "image": BUSYBOX, "command": ["sh", "-c", script], "volumes": [VOLUME]}
    return make_profile({"far": upstream}, ["echo"])


@asynccontextmanager
async def running(
    boxes: Boxes,
    store: VolumeStore,
    script: str,
    runtime: Runtime = Runtime.RUNC,
    driver: DockerDriver | None = None,
) -> AsyncIterator[BoxedLines]:
    """A boxed server that is a shell script."""
    profile = server(script)
    spec = profile.upstreams["far"]
    assert isinstance(spec, StdioUpstream)
    room = BoxRoom(driver=driver or boxes.driver, owner=boxes.owner, volumes=store, runtime=runtime)
    lines = await start_boxed(room, profile, "far", spec, {})
    try:
        yield lines
    finally:
        await lines.close()


async def said(lines: BoxedLines, count: int) -> list[str]:
    return [(await lines.readline()).decode().strip() for _ in range(count)]


def devices(image: Path) -> list[str]:
    """The loop devices that show a file."""
    shown = Path("/sys/block").glob("loop*/loop/backing_file")
    return [path.parents[1].name for path in shown if path.read_text().strip() == str(image)]


def left_over(boxes: Boxes, store: VolumeStore) -> list[object]:
    mounts = Path("/proc/1/mountinfo").read_text()
    mine = devices(store.directory / "mail.img")
    return [
        *boxes.driver.list_boxes(boxes.owner),
        *mine,
        *(name for name in mine if f"/dev/{name} " in mounts),
    ]


async def gone(boxes: Boxes, store: VolumeStore) -> None:
    """Wait until nothing is left over; the kernel detaches a device a moment after its last user."""
    await asyncio.to_thread(patiently, lambda: not left_over(boxes, store), 10)


@pytest.mark.anyio
async def test_a_full_volume_has_no_space_left_and_harms_nobody_else(
    boxes: Boxes, store: VolumeStore, runtime: Runtime
) -> None:
    async with running(boxes, store, FILL, runtime) as lines:
        full, *rest, over = await said(lines, 4)
    assert (full, over) == ("No space left on device", "over")
    assert rest[0] == "hello", "scratch is not the volume"
    image = store.directory / "mail.img"
    assert SIZE_MIB * MIB * 0.5 < int(rest[1]) < SIZE_MIB * MIB
    assert image.stat().st_size == SIZE_MIB * MIB
    assert image.stat().st_blocks * 512 <= SIZE_MIB * MIB
    await gone(boxes, store)


@pytest.mark.anyio
@pytest.mark.parametrize("behind", ["a link to another", "another"])
async def test_a_directory_swapped_before_the_engine_mounts_it_starts_no_server(
    boxes: Boxes, store: VolumeStore, tmp_path: Path, behind: str
) -> None:
    """R-21: what was found to be apart is what a box gets, however late somebody changes a name."""
    place, other = store.directory / "mail", tmp_path / "other"
    place.mkdir(parents=True)
    other.mkdir()

    def swap(arguments: dict[str, Any]) -> dict[str, Any]:
        place.rename(tmp_path / "gone")
        if behind == "another":
            other.rename(place)
        else:
            place.symlink_to(other)
        return arguments

    upstream = {"kind": "stdio", "image": BUSYBOX, "command": ["cat"], "volumes": [UNSIZED]}
    profile = make_profile({"far": upstream}, ["echo"])
    spec = profile.upstreams["far"]
    assert isinstance(spec, StdioUpstream)
    rooms = [
        BoxRoom(driver=driver, owner=boxes.owner, volumes=store)
        for driver in (boxes.driver, DockerDriver(alter=swap))
    ]
    await (await start_boxed(rooms[0], profile, "far", spec, {})).close()

    with pytest.raises(UpstreamUnavailableError, match="mount /data"):
        await start_boxed(rooms[1], profile, "far", spec, {})


@pytest.mark.anyio
async def test_what_was_written_is_there_for_the_next_box_and_belongs_to_its_user(
    boxes: Boxes, store: VolumeStore
) -> None:
    async with running(boxes, store, "echo kept >/data/note; echo done; cat") as lines:
        assert await said(lines, 1) == ["done"]
    script = "cat /data/note; ls /data; cp /bin/sh /data/sh; /data/sh -c 'echo ran' || echo refused; cat"
    async with running(boxes, store, script) as lines:
        assert await said(lines, 3) == ["kept", "note", "refused"], "no program runs from a volume"


@pytest.mark.anyio
async def test_what_was_deleted_takes_no_space_on_the_host(boxes: Boxes, store: VolumeStore) -> None:
    image = store.directory / "mail.img"
    fill = (
        "dd if=/dev/zero of=/data/full bs=1024 count=9000 conv=fsync 2>/dev/null || echo no room; echo full"
    )
    async with running(boxes, store, fill + "; read go; rm /data/full; echo empty; cat") as lines:
        assert await said(lines, 1) == ["full"]
        assert image.stat().st_blocks * 512 > 8 * MIB
        await lines.write(b"go\n")
        assert await said(lines, 1) == ["empty"]
    await gone(boxes, store)
    assert image.stat().st_blocks * 512 < 4 * MIB


@pytest.mark.anyio
async def test_two_runs_share_one_file_system(boxes: Boxes, store: VolumeStore) -> None:
    look = "while read line; do cat /data/note; done"
    async with running(boxes, store, look) as first, running(boxes, store, WAIT + " >/data/note") as second:
        await said(second, 1)
        assert len(devices(store.directory / "mail.img")) == 1
        await second.write(b"from the other\n")
        await second.close()
        await first.write(b"look\n")
        assert await said(first, 1) == ["from the other"]
        assert len(devices(store.directory / "mail.img")) == 1, "it lives as long as one box uses it"
    await gone(boxes, store)


@pytest.mark.anyio
async def test_a_box_that_outlived_its_serve_is_not_given_a_second_file_system(
    boxes: Boxes, store: VolumeStore
) -> None:
    """A crash closes the descriptor; the mount keeps the device, and the next run takes it up."""
    async with running(boxes, store, WAIT) as orphan:
        await said(orphan, 1)
        orphan._volumes.close()
        (device,) = devices(store.directory / "mail.img")
        async with running(boxes, store, WAIT) as lines:
            await said(lines, 1)
            assert devices(store.directory / "mail.img") == [device]
    await gone(boxes, store)


def test_a_killed_process_leaves_no_device(tmp_path: Path) -> None:
    image = tmp_path / "mail.img"
    make_image(image, SIZE_MIB)
    with subprocess.Popen(
        [sys.executable, "-c", ATTACH, str(image)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        path = process.stdout.readline().strip()
        assert [f"/dev/{name}" for name in devices(image)] == [path]
        os.kill(process.pid, signal.SIGKILL)
    patiently(lambda: not devices(image), 10)


def instead(**mount: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Make a box whose volume is something else than was asked for."""
    return walls(Mounts=[{"Type": "volume", "Target": "/data", **mount}])


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (instead(VolumeOptions={"NoCopy": True}), "host:disk /data: got ext4"),
        (walls(Mounts=None), "host:disk /data: got no mount"),
        (walls(Mounts=[{"Type": "bind", "Source": "/var/tmp", "Target": "/data"}]), "engine:mounts"),
    ],
)
@pytest.mark.anyio
async def test_a_box_whose_volume_has_no_end_is_never_spoken_to(
    boxes: Boxes, store: VolumeStore, alter: Any, told: str
) -> None:
    altered = DockerDriver(alter=alter)
    with pytest.raises(UpstreamUnavailableError, match=told):
        async with running(boxes, store, WAIT, driver=altered):
            pass
    altered.close()
    await gone(boxes, store)


@pytest.mark.anyio
async def test_a_damaged_image_is_not_started(boxes: Boxes, store: VolumeStore) -> None:
    store.directory.mkdir()
    (store.directory / "mail.img").write_bytes(os.urandom(MIB))
    with pytest.raises(
        UpstreamUnavailableError,
        match=r"upstream far: its box did not start: .*e2fsck -f .*/volumes/mail.img$",
    ):
        async with running(boxes, store, WAIT):
            pass
    await gone(boxes, store)


@pytest.mark.anyio
async def test_a_start_that_is_given_up_lets_go_of_its_volume(boxes: Boxes, store: VolumeStore) -> None:
    profile = server(WAIT)
    spec = profile.upstreams["far"]
    assert isinstance(spec, StdioUpstream)
    room = BoxRoom(driver=boxes.driver, owner=boxes.owner, volumes=store)
    starting = asyncio.create_task(start_boxed(room, profile, "far", spec, {}))
    await asyncio.to_thread(patiently, lambda: devices(store.directory / "mail.img"), 10)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await gone(boxes, store)


def test_an_image_that_somebody_attached_read_only_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "mail.img"
    make_image(image, SIZE_MIB)
    words = ["losetup", "--find", "--show", "--read-only", str(image)]
    device = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    try:
        with pytest.raises(VolumeError, match="somebody has attached it, in part or read-only"):
            attach(image)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True)


def test_an_image_that_an_operator_has_mounted_is_shared_with_him(tmp_path: Path) -> None:
    image, at = tmp_path / "mail.img", tmp_path / "at"
    make_image(image, SIZE_MIB)
    at.mkdir()
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True)
    try:
        device = attach(image)
        assert [f"/dev/{name}" for name in devices(image)] == [device.path]
        device.close()
        device.close()
    finally:
        subprocess.run(["umount", str(at)], check=True)
