"""Files that hold a file system of their own: made once, by the tools of e2fsprogs, whole or not at all."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sandboxes.errors import VolumeError
from sandboxes.spec import BOX_GID, BOX_UID

TOOLS: Final = ("mkfs.ext4", "debugfs")
MIB: Final = 1024 * 1024
_PLACES: Final = "/usr/sbin:/sbin:/usr/bin:/bin"


def missing_tools() -> tuple[str, ...]:
    """The programs that images are made with and that this machine lacks."""
    return tuple(tool for tool in TOOLS if shutil.which(tool, path=_PLACES) is None)


def make_image(image: Path, size_mib: int) -> None:
    """Make a sparse file with an empty ext4 that belongs to the boxes' user.

    The file appears under its name only when it is complete. It takes space as it is filled.

    Args:
        image: where; nothing may be there.
        size_mib: its size in MiB, the file system's own structures included.

    Raises:
        VolumeError: a tool is missing or failed, or there is no room.
    """
    if missing := missing_tools():
        raise VolumeError(
            f"volume {image}: {', '.join(missing)} not found, needed to make it; install e2fsprogs"
        )
    unfinished = image.with_name(f"{image.name}.unfinished")
    try:
        _sparse(unfinished, size_mib * MIB)
        _format(unfinished)
        unfinished.rename(image)
        _sync(image.parent)
    except OSError as cause:
        raise VolumeError(f"volume {image}: cannot be made: {cause}; see that there is room") from cause


def _sparse(path: Path, size: int) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(descriptor, size)
    finally:
        os.close(descriptor)


def _format(path: Path) -> None:
    """Format it: no blocks kept back for root, read-only after the first error, with a journal.

    The directory `lost+found` goes: a server would take it for one of its own. e2fsck makes it when needed.
    """
    # The file is fresh, so its journal need not be overwritten with the zeros that it reads as.
    options = f"root_owner={BOX_UID}:{BOX_GID},nodiscard,lazy_journal_init=1"
    _run(
        path, ["mkfs.ext4", "-q", "-F", "-b", "4096", "-m", "0", "-e", "remount-ro", "-E", options, str(path)]
    )
    _run(path, ["debugfs", "-w", "-R", "rmdir lost+found", str(path)])
    _sync(path)


def _run(path: Path, words: Sequence[str]) -> None:
    program = shutil.which(words[0], path=_PLACES) or words[0]
    done = subprocess.run(
        [program, *words[1:]], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        path.unlink(missing_ok=True)
        said = " ".join(done.stderr.split())
        raise VolumeError(
            f"volume {path}: {words[0]} ended with {done.returncode}: {said}; see that there is room"
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
