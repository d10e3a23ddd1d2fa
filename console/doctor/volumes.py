"""The volumes: can one with a limit be made here, and is there room for what those that exist may grow to."""

import shutil
from pathlib import Path

from console.doctor.finding import Finding, Level, good
from sandboxes.disk_image import missing_tools
from sandboxes.loop import CONTROL

_BLOCK_BYTES = 512
"""Unit of st_blocks (stat(2)), whatever the file system's own is."""


def examine_volumes(directory: Path, control: Path = CONTROL) -> list[Finding]:
    """Look at what makes volumes, and at those that lie in a directory.

    Args:
        directory: where the volumes lie.
        control: the kernel's door to its loop devices.
    """
    return [_makers(control), *_kept(directory)]


def _makers(control: Path) -> Finding:
    without = "a volume with a limit cannot be used here"
    if missing := missing_tools():
        return Finding(
            "volumes", Level.WARN, f"{', '.join(missing)} not found: {without}", "install e2fsprogs"
        )
    if not control.is_char_device():
        step = "modprobe loop; in a container add `--volume /dev:/dev` (docs/install.md)"
        return Finding("volumes", Level.WARN, f"no loop devices ({control}): {without}", step)
    return good("volumes", "mkfs.ext4 and loop devices: one can have a limit")


def _kept(directory: Path) -> list[Finding]:
    if not directory.is_dir():
        return []
    images = [path for path in sorted(directory.glob("*.img")) if path.is_file()]
    unlimited = [
        path.name for path in sorted(directory.iterdir()) if path.is_dir() and not path.resolve().is_mount()
    ]
    said = (
        f"{len(images)} with a limit; directories of the host, without one: {', '.join(unlimited) or 'none'}"
    )
    growing = sum(max(0, path.stat().st_size - path.stat().st_blocks * _BLOCK_BYTES) for path in images)
    free = shutil.disk_usage(directory).free
    if growing > free:
        grown = f"they may grow by {growing / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free at {directory}"
        return [
            Finding(
                "kept volumes", Level.WARN, f"{said}; {grown}", "make room, or make fewer or smaller volumes"
            )
        ]
    return [good("kept volumes", said)]
