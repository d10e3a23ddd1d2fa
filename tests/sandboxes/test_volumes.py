"""What may stand behind a volume's name, and what is refused. Nothing here needs a loop device."""

import subprocess
from pathlib import Path

import pytest

from profiles.schema import Volume
from sandboxes.disk_image import MIB, make_image
from sandboxes.errors import BoxSpecError, VolumeError
from sandboxes.spec import BoxSpec, Disk
from sandboxes.volumes import VolumeStore

READ = Volume(source="mail", target="/data")
WRITE = Volume(source="mail", target="/data", read_only=False)
SIZED = Volume(source="mail", target="/data", read_only=False, size_mib=16)


def directory(place: Path) -> None:
    (place / "mail").mkdir()


def link(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "mail").symlink_to(place / "elsewhere")


def dangling(place: Path) -> None:
    (place / "mail").symlink_to(place / "nowhere")


def image(place: Path, mib: int = 16) -> None:
    with (place / "mail.img").open("wb") as file:
        file.truncate(mib * MIB)


def large_image(place: Path) -> None:
    image(place, 17)


def both(place: Path) -> None:
    directory(place)
    image(place)


def no_file(place: Path) -> None:
    (place / "mail.img").mkdir()


def lost_image(place: Path) -> None:
    (place / "mail.img").symlink_to(place / "unmounted" / "mail.img")


def nothing(place: Path) -> None:
    assert place.is_dir()


@pytest.mark.parametrize(
    ("there", "entry", "told"),
    [
        (nothing, READ, "no directory for volume 'mail': expected .*/mail to be one"),
        (image, READ, "no directory for volume 'mail': .*mail.img can only be mounted for writing"),
        (dangling, READ, "is a link to .*/nowhere, which is not there"),
        (dangling, WRITE, "is a link to .*/nowhere, which is not there"),
        (directory, SIZED, "has no limit, expected at most 16 MiB; .*docs/operating.md.*`size_mib`"),
        (link, SIZED, "has no limit"),
        (both, WRITE, "got both"),
        (both, READ, "got both"),
        (large_image, SIZED, "holds 17 MiB, expected at most 16 by profile and policy"),
        (no_file, SIZED, "got no file, or a link to none"),
        (lost_image, SIZED, "got no file, or a link to none"),
    ],
)
def test_what_cannot_be_the_volume_that_was_asked_for_is_refused(
    tmp_path: Path, there: "object", entry: Volume, told: str
) -> None:
    assert callable(there)
    there(tmp_path)
    before = sorted(tmp_path.iterdir())

    with pytest.raises(VolumeError, match=told):
        VolumeStore(tmp_path).open([entry])

    assert sorted(tmp_path.iterdir()) == before


def test_the_policys_ceiling_holds_where_the_profile_names_no_size(tmp_path: Path) -> None:
    large_image(tmp_path)
    with pytest.raises(VolumeError, match="at most 16 by profile and policy"):
        VolumeStore(tmp_path, ceiling_mib=16).open([WRITE])


@pytest.mark.parametrize(("there", "real"), [(directory, "mail"), (link, "elsewhere")])
def test_a_directory_that_is_written_to_is_said_to_have_no_limit(
    tmp_path: Path, there: "object", real: str
) -> None:
    assert callable(there)
    there(tmp_path)
    said: list[tuple[str, Path]] = []
    store = VolumeStore(tmp_path, on_unlimited=lambda name, path: said.append((name, path)))

    read = store.open([READ])
    assert said == []
    written = store.open([WRITE])

    assert said == [("mail", tmp_path / real)]
    assert [(m.source, m.read_only) for m in (*read.mounts, *written.mounts)] == [
        (str(tmp_path / real), True),
        (str(tmp_path / real), False),
    ]
    found = (tmp_path / real).stat()
    assert {m.identity for m in (*read.mounts, *written.mounts)} == {(found.st_dev, found.st_ino)}
    assert (*read.disks, *read.images, *written.disks, *written.images) == ()


def test_an_image_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "mail.img"
    path.with_name("mail.img.unfinished").write_bytes(b"what a crash left")

    make_image(path, 16)

    assert [entry.name for entry in tmp_path.iterdir()] == ["mail.img"]
    assert path.stat().st_size == 16 * MIB
    assert path.stat().st_blocks * 512 < MIB, "it takes space as it is filled"
    assert path.stat().st_mode & 0o077 == 0
    checked = subprocess.run(["/usr/sbin/e2fsck", "-fn", str(path)], capture_output=True, check=False)
    assert checked.returncode in {0, 4}, checked
    ls = subprocess.run(["/usr/sbin/debugfs", "-R", "ls -l /", str(path)], capture_output=True, check=True)
    assert b"lost+found" not in ls.stdout
    assert b"65534" in ls.stdout


def test_an_image_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(VolumeError, match=r"mkfs.ext4 ended with 1"):
        make_image(tmp_path / "mail.img", 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("device", ["/dev/sda", "/dev/loop", "/dev/loop0p1", "loop0", "/dev/loop0,ro"])
def test_only_a_loop_device_is_a_disk(device: str) -> None:
    with pytest.raises(BoxSpecError, match="expected a loop device"):
        Disk(device=device, target="/data")


def test_a_disk_and_a_scratch_directory_are_not_at_one_place() -> None:
    with pytest.raises(BoxSpecError, match="more than one mount at /tmp"):
        BoxSpec(image="sha256:0", disks=(Disk(device="/dev/loop0", target="/tmp"),))
