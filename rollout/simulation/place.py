"""Where a story happens: in memory where the system has a file system there, since nothing of it is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_MEMORY = Path("/dev/shm")  # noqa: S108 a private directory is made in it


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty directory, and remove it at the end."""
    with TemporaryDirectory(prefix="handrail-story-", dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        yield Path(directory)
