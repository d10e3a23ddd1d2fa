"""Images of the real engine, looked through: those that tell a status, and our own, which do not."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator

import pytest

from sandboxes.docker_driver import DockerDriver
from sandboxes.errors import ImageMissingError
from sandboxes.images import ImageStore
from sandboxes.lint.finding import VOLUME
from sandboxes.lint.image import lint_image
from scripts.shell import must
from tests.standins.boxes import BUSYBOX

pytestmark = pytest.mark.engine

SOCKET = "/var/run/docker.sock"
TELLING = "handrail-test/telling:1"
COMMIT = "4f2c9e1b7d3a5c8e0f6b2d4a1c3e5f7a9b8d6c0e"
FILES = {
    "app/.git/HEAD": b"ref: refs/heads/main\n",
    "app/VERSION": b"2.4.1\n",
    "etc/os-release": b'NAME="Debian GNU/Linux"\nIMAGE_VERSION=2026.10.1\n',
    "var/log/dpkg.log": b"2026-10-01 install\n",
}
CHANGES = (
    f"ENV GIT_COMMIT={COMMIT}",
    "ENV NODE_ENV=production",
    "ENV PYTHON_VERSION=3.12.1",
    "LABEL org.opencontainers.image.revision=4f2c9e1",
    "LABEL maintainer=ann@example.org",
)
OURS = (
    "handrail/base:1",
    "handrail/base-git:1",
    "handrail/agent:1",
    "handrail/operator:1",
    "handrail/mcp-git:1",
    "handrail/own-agent:1",
    "handrail/model-agent:1",
    "handrail/demo-agent:1",
    "handrail/demo-servers:1",
)
KEEPING = ("handrail/operator:1",)
"""Those that keep something in volumes: no box is made of them."""


def tree() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_790_000_000
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture(scope="module")
def telling() -> Iterator[str]:
    command = [
        "docker",
        "import",
        *(word for change in CHANGES for word in ("--change", change)),
        "-",
        TELLING,
    ]
    subprocess.run(command, input=tree(), check=True, capture_output=True)
    yield TELLING
    must(["docker", "image", "rm", TELLING], next_step="docker images")


def containers() -> str:
    return must(
        ["docker", "ps", "--all", "--quiet", "--filter", f"ancestor={TELLING}"], next_step="docker ps"
    )


def test_what_is_baked_into_a_real_image_is_found_with_its_fix(telling: str) -> None:
    """R-20: variables, labels, files, release files, times; and nothing that a toolchain writes."""
    found = lint_image(ImageStore(SOCKET), telling)

    assert {(one.where, one.weight.value) for one in found} == {
        ("variable GIT_COMMIT", "error"),
        ("variable NODE_ENV", "error"),
        ("file /app/.git", "error"),
        ("file /app/VERSION", "error"),
        ("file /etc/os-release", "error"),
        ("file /var/log/dpkg.log", "warning"),
        ("label org.opencontainers.image.revision", "warning"),
        ("files", "warning"),
    }
    assert all(one.fix for one in found)


def test_looking_through_an_image_leaves_no_container(telling: str) -> None:
    lint_image(ImageStore(SOCKET), telling)

    assert containers() == ""


def test_no_container_is_left_when_looking_is_broken_off(telling: str) -> None:
    def broken_off() -> None:
        with ImageStore(SOCKET).files(telling):
            raise KeyError("the reader fails")

    with pytest.raises(KeyError, match="the reader fails"):
        broken_off()
    assert containers() == ""


def test_an_image_that_the_engine_lacks_is_named_and_never_fetched() -> None:
    with pytest.raises(ImageMissingError, match="handrail-test/none:1"):
        lint_image(ImageStore(SOCKET), "handrail-test/none:1")


@pytest.mark.parametrize("image", OURS)
def test_our_own_images_tell_nothing(image: str) -> None:
    """R-20: what `make images` has made: no variable, label, file, time of a file or time in byte code."""
    found = lint_image(ImageStore(SOCKET), image)

    assert {one.rule for one in found} == ({VOLUME} if image in KEEPING else set())


def test_the_command_says_it_in_json_and_exits_with_4(telling: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "console", "context", "lint", "--image", telling, "--json"],
        capture_output=True,
        check=False,
    )

    assert told.returncode == 4
    answer = json.loads(told.stdout)
    assert answer["image"] == telling
    assert {"where", "found", "kind", "rule", "fix", "weight"} == answer["findings"][0].keys()


def test_an_image_needs_no_option_where_no_file_has_its_name(telling: str) -> None:
    """Issue 4 item 1: `handrail context lint IMAGE`."""
    told = subprocess.run(
        [sys.executable, "-m", "console", "context", "lint", telling],
        capture_output=True,
        check=False,
        text=True,
    )

    assert told.returncode == 4
    assert "variable GIT_COMMIT" in told.stdout
    assert "fix: remove the Dockerfile's line `ENV GIT_COMMIT=...`" in told.stdout


@pytest.mark.parametrize("name", ["../json", "", "a//b", "/etc/x", "."])
def test_what_is_no_name_of_an_image_is_not_asked_for(name: str) -> None:
    with pytest.raises(ImageMissingError, match="expected NAME, NAME:TAG or sha256:DIGEST"):
        ImageStore(SOCKET).inspect(name)


def test_the_driver_offers_its_engines_images() -> None:
    driver = DockerDriver(f"unix://{SOCKET}")
    try:
        assert driver.store.inspect(BUSYBOX)["Id"] == driver.image(BUSYBOX).digest
        assert driver.store.history(BUSYBOX)
    finally:
        driver.close()
