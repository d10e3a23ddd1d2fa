"""The sender: takes notices out of the outbox and tells people, in nobody's way."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Final

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from runtime.canonical import JsonValue
from runtime.clock import Clock
from runtime.errors import LedgerError
from runtime.notices import queue
from runtime.notices.channels import Channel, NoticeError
from runtime.notices.message import MOST_IDS, Message
from runtime.notices.outbox import NoticeKind, Route, put
from runtime.record.batch import Tx
from runtime.record.ledger import Ledger

COLLECT_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 5.0
TRIES: Final = 3
"""How often one round tries; the next round comes later, and there is always a next one."""

_LOG = logging.getLogger(__name__)


class Sender:
    """Tells people what waits. Use it from one event loop; `waiting` never blocks and never fails."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        ledger: Ledger,
        clock: Clock,
        *,
        first_wait_seconds: float = 1.0,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Take the ways and the record.

        Args:
            channels: by name; none at all: what is written counts as sent.
            ledger: holds the outbox.
            clock: the present moment.
            first_wait_seconds: upper bound of the wait before the second try of a round; it doubles at each.
            look_seconds: how often the outbox is looked at.
        """
        self._channels = channels
        self._ledger = ledger
        self._clock = clock
        self._first_wait_seconds = first_wait_seconds
        self._look_seconds = look_seconds
        self._suggestions: list[str] = []
        self._wake = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send, first what an earlier process left."""
        if self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    def waiting(self, kind: str, ids: tuple[str, ...]) -> None:
        """Say that these holds or suggestions wait. Holds are in the outbox already; suggestions are put."""
        if kind == NoticeKind.SUGGESTION.value and self._channels:
            self._suggestions.extend(ids)
        self._wake.set()

    async def close(self) -> None:
        """Stop; what was not sent stays in the outbox."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None
        with contextlib.suppress(LedgerError):  # the record is closing: suggestions are listed anyway
            await self._put_suggestions()

    async def _send_all(self) -> None:
        while True:
            try:
                await self._put_suggestions()
                await self._round()
            except Exception:  # noqa: BLE001 a fault of one round must not end all later ones
                _LOG.exception("a round of notices failed; they stay in the outbox")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_seconds):
                    await self._wake.wait()
                    await asyncio.sleep(min(COLLECT_SECONDS, self._look_seconds / 2))
            self._wake.clear()

    async def _put_suggestions(self) -> None:
        if not self._suggestions:
            return
        ids, self._suggestions = self._suggestions, []
        named: list[JsonValue] = list(ids[:MOST_IDS])
        facts: dict[str, JsonValue] = {"count": len(ids), "ids": named}
        kind = NoticeKind.SUGGESTION
        await self._ledger.write(lambda tx: put(tx, kind, ids[0], Route.OPERATORS, facts=facts, now=tx.now))

    async def _round(self) -> None:
        if not await asyncio.to_thread(self._is_due):
            return
        messages = await self._ledger.write(lambda tx: queue.claim(tx, tuple(self._channels)))
        await asyncio.gather(*(self._tell(message) for message in messages))

    def _is_due(self) -> bool:
        with self._ledger.read() as conn:
            return queue.is_due(conn, now=self._clock())

    async def _tell(self, message: Message) -> None:
        tries = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=self._first_wait_seconds, max=30),
            retry=retry_if_exception_type(NoticeError),
            reraise=True,
        )
        try:
            await tries(self._channels[message.channel].send, message)
        except NoticeError as error:
            _LOG.warning("the %s channel took no notice in %s tries: %s", message.channel, TRIES, error)
            sent = False
        else:
            sent = True

        def unit(tx: Tx) -> None:
            queue.settle(tx, message, sent=sent)

        await self._ledger.write(unit)
