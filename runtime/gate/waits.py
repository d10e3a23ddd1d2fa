"""Waiting for a hold: the callers who wait, their progress, and whether anybody still does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from runtime.gate.replies import Progress

PROGRESS_SECONDS: Final = 5.0
WAITING_TEXT: Final = "waiting"


@dataclass
class _Wait:
    """Those who wait for one hold."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    waiters: int = 0


class Waits:
    """Who waits for which hold."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._waits: dict[str, _Wait] = {}
        self._pending: set[str] = set()

    async def wait(self, hold: str, seconds: float, progress: Progress | None) -> bool:
        """Wait until something about a hold changes; false when the time is over first.

        Whoever hears that the time is over tells the caller that the action is pending, and that stays so,
        whatever changes: a first vote of two is no reason to forget who may ask again.

        Raises:
            asyncio.CancelledError: whoever waited has gone.
        """
        wait = self._waits.setdefault(hold, _Wait())
        wait.waiters += 1
        try:
            changed = await _changed(wait.changed, seconds, progress)
            if not changed:
                self._pending.add(hold)
            return changed
        finally:
            wait.waiters -= 1

    def is_abandoned(self, hold: str) -> bool:
        """Whether nobody waits for a hold any more and nobody was told that it is pending."""
        wait = self._waits.get(hold)
        return wait is not None and wait.waiters == 0 and hold not in self._pending

    def waited(self) -> frozenset[str]:
        """The holds for which somebody waits right now."""
        return frozenset(hold for hold, wait in self._waits.items() if wait.waiters)

    def wake(self, hold: str) -> None:
        """Let everybody who waits for a hold look again."""
        if (wait := self._waits.pop(hold, None)) is not None:
            wait.changed.set()


async def _changed(event: asyncio.Event, seconds: float, progress: Progress | None) -> bool:
    waited = 0.0
    while waited < seconds:
        pause = min(PROGRESS_SECONDS, seconds - waited)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await event.wait()
            return True
        waited += pause
        if progress is not None:
            await progress(waited, WAITING_TEXT)
    return False
