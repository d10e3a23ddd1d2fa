"""A probe runs on the image's own python3: what it says is held against what the host sees of its box."""

import asyncio
import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.parity import look
from console.parity.cases import Cases, prepare
from console.parity.town import open_town
from sandboxes.context import visible_context
from sandboxes.errors import ParityError
from sandboxes.parity.compare import Comparison, Difference, Status, Why
from sandboxes.parity.probe import probe_command, read_facts
from sandboxes.parity.witness import Released, contradictions, witness
from sandboxes.spec import BoxSpec, Runtime
from scripts.shell import must
from tests.standins.boxes import BASE, Boxes

pytestmark = pytest.mark.engine
CONSTANT_TIME = 315532800
PACKAGES = "usr/local/lib/python3.11/dist-packages"
PATCHED: Mapping[str, str] = {
    f"{PACKAGES}/liar.pth": "import liar\n",
    f"{PACKAGES}/liar.py": """
import os
read, environment = os.read, os.environ
os.read = lambda handle, size: read(handle, size).replace(b" /home/agent rw,", b" /home/agent ro,")
environment["LANG"] = "C"
environment.pop("MCP_SERVER_URL", None)
environment["STAGE"] = "none"
""",
}
"""The real interpreter, with a module that every program loads first."""
WRAPPED = {"usr/local/bin/python3": '#!/bin/sh\nexport LANG=C\n/usr/bin/python3 "$@"\n'}
CANNED = {"usr/local/bin/python3": "#!/bin/sh\necho all is well\n"}
RENAMED = {"usr/local/bin/python3": '#!/bin/sh\nexec /usr/bin/python3 -B "$@"\n'}


@contextmanager
def image_of(files: Mapping[str, str], name: str = "handrail-test/liar:1") -> Iterator[str]:
    """The base image with some files more."""
    stream = io.BytesIO()
    told = {"Dockerfile": f"FROM {BASE}\nCOPY tree/ /\n"} | {
        f"tree/{path}": text for path, text in files.items()
    }
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in told.items():
            member = tarfile.TarInfo(path)
            member.size, member.mtime, member.mode = len(text.encode()), CONSTANT_TIME, 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    subprocess.run(
        ["docker", "build", "--network", "none", "-t", name, "-"],
        input=stream.getvalue(),
        check=True,
        capture_output=True,
    )
    try:
        yield name
    finally:
        must(["docker", "image", "rm", name], next_step="docker images")


def looked(boxes: Boxes, runtime: Runtime, image: str = BASE) -> Sequence[Difference]:
    """Run the probe in one box and hold what it says against the host's word."""
    context = visible_context(command=probe_command())
    carried = [item for item in context.items if item.name in context.environment]
    released = Released(command=context.command, variables={item.name: item.digest for item in carried})
    with boxes.one(BoxSpec(image=image, runtime=runtime)) as box:
        boxes.driver.release(box, context.command, context.environment)
        known = witness(boxes.driver, box, runtime, released)
        boxes.driver.wait(box)
        said = read_facts(b"".join(boxes.driver.logs(box)))
    assert len(known) > (100 if runtime is Runtime.RUNC else 10)
    return contradictions(said, known)


def test_an_honest_probe_and_the_host_say_the_same(runtime: Runtime, boxes: Boxes, base_image: str) -> None:
    """Issue 4, item 5: mounts, rights, namespaces, environment, command line, host name, users, groups."""
    assert base_image
    assert looked(boxes, runtime) == ()


def test_a_python3_that_lies_is_found_and_each_lie_is_named(boxes: Boxes, base_image: str) -> None:
    """Issue 4, item 5: what it changes, what it leaves out, and what it makes up."""
    assert base_image
    with image_of(PATCHED) as image:
        found = {one.fact: one for one in looked(boxes, Runtime.RUNC, image)}

    assert set(found) == {
        "environment:names in order",
        "environment:variable LANG",
        "environment:variable MCP_SERVER_URL",
        "environment:variable STAGE",
        "mounts:/proc/1/mountinfo /home/agent options",
    }
    assert {one.why for one in found.values()} == {Why.CONTRADICTED}
    assert found["environment:variable LANG"].values[0] == "the box: C"


@pytest.mark.parametrize("files", [WRAPPED, CANNED, RENAMED], ids=["wrapped", "canned", "renamed"])
def test_a_python3_that_is_another_program_is_refused(
    files: Mapping[str, str], boxes: Boxes, base_image: str
) -> None:
    """Issue 4, item 5: an answer that is ready before anything was looked at proves nothing, either."""
    assert base_image
    with image_of(files) as image, pytest.raises(ParityError, match="python3"):
        looked(boxes, Runtime.RUNC, image)


async def _compared(image: str) -> Comparison:
    async def quiet(_done: int, _total: int) -> None:
        """Say nothing."""

    async with open_town(Path("/var/run/docker.sock")) as town:
        prepared = await prepare(town, image)
        chosen = tuple(case for case in prepared.all if case.status in {None, Status.TIER})
        return await look.look(town, Cases(chosen, prepared.names), Runtime.RUNC, quiet)


def test_no_image_that_lies_is_proven(base_image: str) -> None:
    """R-43: it says the same in every status, and is not believed."""
    assert base_image
    with image_of(PATCHED) as image:
        found = asyncio.run(_compared(image))

    assert not found.ok
    assert Why.CONTRADICTED in {one.why for one in found.differences}
    assert Why.STATUS not in {one.why for one in found.differences}
    assert "mounts:/proc/1/mountinfo /home/agent options" in found.differing
    assert "environment:variable STAGE" in found.differing
