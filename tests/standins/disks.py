"""A real file system that is soon full; needs root."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """Mount a new file system of a size, such as `2m`, for the length of a block."""
    place.mkdir(parents=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(words, check=False).returncode:
        pytest.skip("cannot mount a small file system here: not root, or no right to mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(file: Path) -> None:
    """Write a file until there is no room left on its file system."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space left"):
        _write_for_ever(descriptor)
    os.close(descriptor)


def _write_for_ever(descriptor: int) -> None:
    while True:
        os.write(descriptor, b"x" * 4096)
