"""Downloading on the host what an image will install, because images are built without network."""

import hashlib
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.shell import SetupError, must

STAMP = ".complete"
# Run inside the base image: wheels have to suit its Python and its C library, not the host's.
DESCRIBE = (
    "import json, os, platform, sys; print(json.dumps({"
    "'python': '%d.%d' % sys.version_info[:2], 'machine': platform.machine(), "
    "'glibc': int(os.confstr('CS_GNU_LIBC_VERSION').rsplit('.', 1)[1])}))"
)
OLDEST_GLIBC = 5  # PEP 600 begins at manylinux_2_5


@dataclass(frozen=True)
class Target:
    """The Python that will import the wheels.

    Attributes:
        python: its version, such as `3.11`.
        machine: such as `x86_64`.
        glibc: minor version of its C library, such as 36 for 2.36.
    """

    python: str
    machine: str
    glibc: int


def describe(image: str) -> Target:
    """Ask an image which Python it has.

    Raises:
        SetupError: the image does not run, or has no Python.
    """
    run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python3", image, "-c", DESCRIBE]
    return Target(**json.loads(must(run, next_step="`make base-image`; it has to have python3 and glibc")))


def platforms(target: Target) -> list[str]:
    """The wheel platform tags that a target can load, best first (PEP 600 and the names before it)."""
    numbered = [
        f"manylinux_2_{minor}_{target.machine}" for minor in range(target.glibc, OLDEST_GLIBC - 1, -1)
    ]
    named = [f"{name}_{target.machine}" for name in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    return numbered + named


def download(requirements: Path, destination: Path, base: str, base_id: str) -> None:
    """Fill a directory with the wheels that a requirements file names, and with that file.

    Nothing is downloaded when the directory is complete for this file and this base image.

    Args:
        requirements: a pip requirements file; with hashes, every wheel is checked against them.
        destination: the directory, replaced as a whole.
        base: the image whose Python will import the wheels.
        base_id: id of that image.

    Raises:
        SetupError: the file is missing, or a wheel cannot be had.
    """
    if not requirements.exists():
        raise SetupError(f"{requirements}: no such file; next step: write it, one package a line")
    content = requirements.read_bytes()
    wanted = hashlib.sha256(content + base_id.encode()).hexdigest()
    stamp = destination / STAMP
    if stamp.exists() and stamp.read_text() == wanted:
        return
    draft = destination.with_name(f"{destination.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    must(
        _download_command(requirements, draft, describe(base)),
        next_step=f"check {requirements}, and that every package in it has a wheel for the image's Python",
    )
    (draft / "requirements.txt").write_bytes(content)
    (draft / STAMP).write_text(wanted)
    shutil.rmtree(destination, ignore_errors=True)
    draft.rename(destination)


def _download_command(requirements: Path, destination: Path, target: Target) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", target.python),
        *(option for name in platforms(target) for option in ("--platform", name)),
        *("--dest", str(destination), "--requirement", str(requirements)),
    ]
