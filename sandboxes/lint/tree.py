"""An image's files out of a tar stream of the engine, within bounds; what they hold is a stranger's."""

import math
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from sandboxes.errors import LintError

MAX_FILES: Final = 2_000_000
MAX_BYTES: Final = 16 * 1024**3
CONTENT_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = 16
LATEST: Final = 253402300799  # 9999-12-31T23:59:59Z


@dataclass(frozen=True, slots=True)
class FileFact:
    """One entry of the tree.

    Attributes:
        path: absolute, as a box would see it.
        is_file: whether it is a regular file; a second name of one is, too.
        size: in bytes.
        mode: its permissions.
        modified: seconds since 1970.
        content: its text where it was wanted, its first bytes where only those were, else nothing.
        target: where a link leads, of a second name the first; empty of everything else.
    """

    path: str
    is_file: bool
    size: int
    mode: int
    modified: int
    content: bytes = b""
    target: str = ""


def files_in(stream: BinaryIO, wanted: Callable[[str], int]) -> Iterator[FileFact]:
    """Yield every entry of a tree.

    Args:
        stream: an uncompressed tar stream, as "Export a container" gives it.
        wanted: how many bytes of the file at a path are asked for.

    Raises:
        LintError: it is no tar stream, ends early, or holds more than an image should.
    """
    size = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for number, member in enumerate(archive):
                size += member.size
                if number >= MAX_FILES or size > MAX_BYTES:
                    raise LintError(
                        f"image of more than {number} files or {size} bytes, "
                        f"expected at most {MAX_FILES} files and {MAX_BYTES} bytes"
                    )
                yield _fact(archive, member, wanted)
    except (tarfile.TarError, EOFError) as cause:
        raise LintError(f"the image's files cannot be read: {cause}") from cause


def _fact(archive: tarfile.TarFile, member: tarfile.TarInfo, wanted: Callable[[str], int]) -> FileFact:
    path = "/" + member.name.removeprefix("./").strip("/")
    amount = min(wanted(path), CONTENT_BYTES) if member.isreg() else 0
    held = archive.extractfile(member) if amount else None
    content = held.read(amount) if held else b""
    is_file = member.isreg() or member.islnk()
    return FileFact(path, is_file, member.size, member.mode, _seconds(member.mtime), content, member.linkname)


def _seconds(modified: float) -> int:
    """Return a time that can be told: a builder may write any number, or none."""
    return int(min(max(modified, 0), LATEST)) if not math.isnan(modified) else 0
