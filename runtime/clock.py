"""The only source of time, ids and randomness. Everything else takes them as arguments."""

import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock
from typing import Final

Clock = Callable[[], datetime]
NewId = Callable[[str], str]


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"  # base32, RFC 4648 section 6, in lower case
_PAIRS: Final = tuple(first + second for first in _LETTERS for second in _LETTERS)


def utc_now() -> datetime:
    """Return the present moment as an aware UTC datetime with microseconds."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """Return a new identifier, `prefix-` and 80 random bits in lower-case base32 (16 characters).

    Args:
        prefix: what is named, such as `run` or `act`; it makes an id readable in a log.
    """
    bits = int.from_bytes(random_bytes(10))
    return f"{prefix}-{''.join([_PAIRS[bits >> shift & 1023] for shift in range(70, -1, -10)])}"


def random_bytes(count: int) -> bytes:
    """Return `count` bytes from the operating system's secure source, each given out once."""
    return _POOL.take(count)


class _Pool:
    """Fetches bytes in larger pieces.

    A call to the system gives other threads the turn; on the path of every action that turn costs far more
    than the bytes.
    """

    PIECE: Final = 4096

    def __init__(self) -> None:
        self._lock = Lock()
        self._bytes = b""

    def take(self, count: int) -> bytes:
        """Return fresh bytes."""
        if count > self.PIECE:
            return secrets.token_bytes(count)
        with self._lock:
            if len(self._bytes) < count:
                self._bytes = secrets.token_bytes(self.PIECE)
            taken, self._bytes = self._bytes[:count], self._bytes[count:]
        return taken

    def forget(self) -> None:
        """Drop what is left: after a fork, parent and child would give out the same bytes."""
        self._lock = Lock()
        self._bytes = b""


_POOL: Final = _Pool()
os.register_at_fork(after_in_child=_POOL.forget)
