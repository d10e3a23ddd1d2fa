"""The pure parts of the set-up: which mirror, which files, which wheels."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from scripts.build_image import Recipe, build, build_command
from scripts.debian import choose_mirror
from scripts.rootfs import CONSTANT_TIME, kept, normalised, write_image, write_layer
from scripts.shell import SetupError, ask, must
from scripts.wheels import Target, download, platforms

DEBIAN = """\
bookworm main http://mirror.example/debian/
bookworm non-free http://mirror.example/debian/
bookworm-updates main http://mirror.example/debian/
stable main http://elsewhere.example/tool/
"""
UBUNTU = """\
noble-security main http://security.example/ubuntu/
noble main http://mirror.example/ubuntu/
noble universe http://mirror.example/ubuntu/
noble universe http://ppa.example/ubuntu/
"""


@pytest.mark.parametrize(
    ("targets", "release", "address", "components"),
    [
        (DEBIAN, "bookworm", "http://mirror.example/debian/", ("main",)),
        (UBUNTU, "noble", "http://mirror.example/ubuntu/", ("main", "universe")),
        ("trixie main file:/srv/debian", "trixie", "file:/srv/debian", ("main",)),
    ],
)
def test_the_mirror_is_the_one_apt_uses_for_the_hosts_release(
    targets: str, release: str, address: str, components: tuple[str, ...]
) -> None:
    mirror = choose_mirror(targets, release)
    assert (mirror.address, mirror.suite, mirror.components) == (address, release, components)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ("", "no archive of bookworm main"),
        ("bookworm contrib http://mirror.example/debian/", "no archive of bookworm main"),
        ("bookworm main mirror+file:/etc/apt/mirrors", "apt gets bookworm from mirror"),
    ],
)
def test_a_mirror_that_cannot_be_used_is_an_error_with_a_next_step(targets: str, words: str) -> None:
    with pytest.raises(SetupError, match=words) as failure:
        choose_mirror(targets, "bookworm")
    assert "next step:" in str(failure.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("etc/machine-id", False),
        ("etc/apt/sources.list.d/debian.sources", False),
        ("var/log/bootstrap.log", False),
        ("var/log", True),
        ("var/cache/apt/archives/x.deb", False),
        ("usr/share/doc/bash", True),
        ("usr/share/doc/bash/changelog.gz", False),
        ("usr/share/doc/bash/copyright", True),
        ("usr/lib/python3.11/EXTERNALLY-MANAGED", False),
        ("usr/lib/python3.11/asyncio/__pycache__/base_events.cpython-311.pyc", True),
        ("etc/passwd", True),
    ],
)
def test_a_base_image_keeps_what_programs_need_and_nothing_of_the_building_host(
    name: str, expected: bool
) -> None:
    """R-20: nothing in the box tells when or where its image was made."""
    assert kept(name) is expected


def test_files_lose_their_time_their_owners_name_and_their_set_uid_bit() -> None:
    """R-20."""
    member = tarfile.TarInfo("usr/bin/su")
    member.mode, member.mtime, member.uname = 0o104755, 1_700_000_000, "builder"
    member.pax_headers = {"atime": "1700000000.5", "SCHILY.xattr.security.capability": "x"}
    plain = normalised(member)
    assert (plain.mode, plain.mtime, plain.uname, plain.pax_headers) == (0o755, CONSTANT_TIME, "", {})


def exported(time: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in [("etc/passwd", b"root:x:0:0"), ("etc/hostname", b"builder-7")]:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), time
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def image_of(time: int, place: Path) -> tuple[str, bytes]:
    layer, archive = place / "layer.tar", io.BytesIO()
    with layer.open("wb") as target:
        write_layer(io.BytesIO(exported(time)), target)
    made = write_image(layer, archive, tag="x:1", architecture="amd64", command=["sh"])
    return made, archive.getvalue()


def test_the_same_files_make_the_same_image_whenever_it_is_built(tmp_path: Path) -> None:
    """R-20."""
    assert image_of(1_600_000_000, tmp_path) == image_of(1_700_000_000, tmp_path)


def test_the_image_archive_names_its_parts_by_their_digests(tmp_path: Path) -> None:
    image_id, archive = image_of(1_600_000_000, tmp_path)
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        parts = {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr] # only files are in it
    (manifest,) = json.loads(parts["manifest.json"])
    config = parts[manifest["Config"]]
    assert image_id == f"sha256:{hashlib.sha256(config).hexdigest()}"
    layer = hashlib.sha256(parts["layer.tar"]).hexdigest()
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{layer}"]
    assert b"builder-7" not in archive


def test_wheels_are_chosen_for_the_images_c_library_never_a_newer_one() -> None:
    names = platforms(Target("3.11", "x86_64", 28))
    assert names[0] == "manylinux_2_28_x86_64"
    assert "manylinux2014_x86_64" in names
    assert "manylinux_2_29_x86_64" not in names


def test_images_are_built_without_network() -> None:
    command = build_command(Recipe("x:1", Path("here"), "base:1", "agent", {}, ()))
    assert command[command.index("--network") + 1] == "none"
    assert command[command.index("--target") + 1] == "agent"


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("missing", r"/missing: no such directory; next step: name the one that holds the Dockerfile"),
        ("file", r"/file: no such directory; next step"),
        ("", r"/Dockerfile: no such file; next step: write one that begins with `ARG BASE`"),
    ],
)
def test_a_directory_without_a_dockerfile_is_named_before_anything_is_asked(
    tmp_path: Path, context: str, words: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=words):
        build(Recipe("x:1", tmp_path / context, "no-such-base:1", None, {}, ()))


def test_a_missing_requirements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"nothing\.txt: no such file; next step"):
        download(tmp_path / "nothing.txt", tmp_path / "wheels", "base:1", "sha256:0")


def test_a_failed_program_is_told_with_its_last_words_and_the_next_step() -> None:
    with pytest.raises(SetupError, match=r"exit code 3:\nno room\nnext step: make room"):
        must(["sh", "-c", "echo no room >&2; exit 3"], next_step="make room")


def test_a_program_that_is_not_there_and_one_that_hangs_are_answers_not_exceptions() -> None:
    assert ask(["no-such-program-here"]).code == 127
    assert ask(["sleep", "5"], seconds=0.05).code == 124
