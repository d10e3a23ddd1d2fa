"""Whether something is also part of another directory: by a link, by a hard link, by lying inside (R-21).

Names are followed to what they are, and compared by device and inode, which a second mount of the same
directory has too. What one setting keeps is then not found through the other's names.
"""

import os
from collections.abc import Iterator
from pathlib import Path

_Identity = tuple[int, int]


def shared_with(place: Path, other: Path) -> Path | None:
    """Return what of another directory a place is, lies in, or holds; None if they have nothing in common.

    Args:
        place: a file, a directory, or a link to one; it may be missing.
        other: the other directory; what its entries link to counts as part of it.
    """
    identity, within = _identity(place), set(_line(place))
    if identity is None:
        return None
    for one in (other, *_entries(other)):
        theirs = _identity(one)
        if theirs is not None and (theirs in within or identity in _line(one)):
            return one
    return None


def as_it_is(place: Path) -> tuple[Path, tuple[int, int]]:
    """Return where a place really is, by no link, and its device and inode: all of one and the same thing.

    Whoever changes a link meanwhile changes nothing of the answer.

    Raises:
        OSError: it is missing, or out of reach.
    """
    descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        found = os.fstat(descriptor)
        return Path(f"/proc/self/fd/{descriptor}").readlink(), (found.st_dev, found.st_ino)
    finally:
        os.close(descriptor)


def _entries(directory: Path) -> Iterator[Path]:
    if directory.is_dir():
        yield from sorted(directory.iterdir())


def _line(place: Path) -> list[_Identity]:
    """Return a place itself and all it lies in, as they are."""
    real = place.resolve()
    return [identity for one in (real, *real.parents) if (identity := _identity(one)) is not None]


def _identity(place: Path) -> _Identity | None:
    try:
        found = place.stat()
    except OSError:  # missing, a link in a circle, or out of reach: whoever opens it says so
        return None
    return found.st_dev, found.st_ino
