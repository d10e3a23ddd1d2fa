"""The only source of time, ids and randomness. Everything else takes them as arguments."""

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
NewId = Callable[[str], str]


def utc_now() -> datetime:
    """Return the present moment as an aware UTC datetime with microseconds."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """Return a new identifier, `prefix-` and 80 random bits in lower-case base32 (16 characters).

    Args:
        prefix: what is named, such as `run` or `act`; it makes an id readable in a log.
    """
    return f"{prefix}-{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"


def random_bytes(count: int) -> bytes:
    """Return `count` bytes from the operating system's secure source."""
    return secrets.token_bytes(count)
