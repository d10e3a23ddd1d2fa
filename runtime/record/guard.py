"""Two guards of the writer: nobody else writes here, and the files are still the ones that were opened."""

import fcntl
import os
from pathlib import Path
from typing import Self

from runtime.errors import LedgerBusyError, LedgerIntegrityError

_OF_STATE = (
    "one process at a time writes a state directory; "
    "stop that process, or set HANDRAIL_STATE_DIR to another directory"
)
OF_ANCHOR = (
    "one record at a time is anchored in a directory, or neither could be believed; "
    "stop that process, or set HANDRAIL_ANCHOR_DIR to another directory"
)


class StateLock:
    """The lock that makes one process the writer of a state directory; it ends with the process."""

    def __init__(self, path: Path, advice: str = _OF_STATE) -> None:
        """Take the lock at once.

        Args:
            path: the file, made where it is missing.
            advice: what to say to whoever finds it taken.

        Raises:
            LedgerBusyError: another process holds it.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._descriptor)
            raise LedgerBusyError(f"{path} is locked by process {holder}: {advice}") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)


class FileGuard:
    """Notices that a file was deleted or replaced under us.

    SQLite goes on writing into a deleted file without an error, and all of it is gone at exit.
    """

    def __init__(self, identities: dict[Path, tuple[int, int]]) -> None:
        self._identities = {str(path): identity for path, identity in identities.items()}

    @classmethod
    def of_database(cls, database: Path | None) -> Self:
        """Remember an SQLite database and its write-ahead log as they are now; None guards nothing."""
        paths = [] if database is None else [database, database.with_name(database.name + "-wal")]
        return cls({path: _identity(str(path)) for path in paths})

    def check(self) -> None:
        """Compare with what was remembered.

        Raises:
            LedgerIntegrityError: a file is gone or is another one.
        """
        for path, remembered in self._identities.items():
            if _identity(path) != remembered:
                raise LedgerIntegrityError(
                    f"{path} was replaced while in use: nothing more is recorded and every action is denied; "
                    "find out who did it, restore the file, run `handrail audit verify`, then restart"
                )


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 called twice in every commit; Path.stat costs twice as much
    except FileNotFoundError as error:
        raise LedgerIntegrityError(
            f"{path} was deleted while in use: nothing more is recorded and every action is denied; "
            "restore it from a backup, run `handrail audit verify`, then restart"
        ) from error
    return status.st_dev, status.st_ino
