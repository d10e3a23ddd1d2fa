"""Listening for what a server says of itself: opened again whenever it breaks, and what was missed made good.

A stream that broke, a server that is away, and a proxy that answers for it meanwhile (502, 503) are tried
again for as long as the session lasts, with pauses that grow to a bound. A server may have said in between
that its tools changed; so whoever listens again compares what it offers now (R-76).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from runtime.upstreams.errors import (
    ManifestChangedError,
    NoSuchTargetError,
    SessionLostError,
    UpstreamError,
)

PAUSE_S: Final = 1.0
PAUSE_MOST_S: Final = 30.0
_TOO_MANY: Final = 429
_SERVERS_FAULT: Final = range(500, 600)
_NOT_IMPLEMENTED: Final = 501

ListenOnce = Callable[[bool], Awaitable[bool]]
"""Listens until the stream ends; told whether something may have been missed.

Returns whether there is a stream at all. Raises UpstreamError: it could not be opened, broke, or what the
server offers could not be compared.
"""


@dataclass(frozen=True)
class Pauses:
    """Seconds between two tries: the first pause, and the longest."""

    first_s: float = PAUSE_S
    most_s: float = PAUSE_MOST_S


PAUSES: Final = Pauses()


def is_passing(status: int) -> bool:
    """Whether an HTTP status says that the same request may well be answered later (RFC 9110, 15.6)."""
    return status == _TOO_MANY or (status in _SERVERS_FAULT and status != _NOT_IMPLEMENTED)


async def listen(once: ListenOnce, pauses: Pauses) -> None:
    """Listen until the session is over, or there is nothing to listen to.

    A stream that lasted longer than the last pause has the next one begin at the shortest again.
    """
    loop, pause, missed = asyncio.get_running_loop(), pauses.first_s, False
    while True:
        began = loop.time()
        try:
            if not await once(missed):
                return
        except (SessionLostError, ManifestChangedError, NoSuchTargetError):
            return  # the next call says so; a lost session is opened anew by it, and compared then
        except UpstreamError:
            pass  # out of reach, broken, or not to be compared now: all that is tried again below
        missed = True
        if loop.time() - began > pause:
            pause = pauses.first_s
        await asyncio.sleep(pause)
        pause = min(2 * pause, pauses.most_s)
