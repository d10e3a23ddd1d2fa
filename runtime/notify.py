"""Telling people that something waits: a command and a webhook, tried again, and never in anyone's way.

A notice holds counts and our own ids. No word of an agent's is in it, so nothing an agent writes reaches a
shell, a pager or a chat by this way.
"""

import asyncio
import json
import logging
import shlex
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import httpx
from tenacity import AsyncRetrying, RetryError, stop_after_attempt, wait_random_exponential

from runtime.clock import Clock
from runtime.errors import KernelError
from runtime.record.events import Event, EventKind
from runtime.record.ledger import Ledger

COLLECT_SECONDS: Final = 1.0
MOST_IDS: Final = 50
_TRIES: Final = 5
_SECONDS_EACH: Final = 10.0
_LOG = logging.getLogger(__name__)


class NoticeError(KernelError):
    """A hook that did not take a notice."""


@dataclass(frozen=True)
class Hooks:
    """Where notices go; a hook that is not set is not called.

    Attributes:
        command: a program with arguments, split as a shell would, run without one; the notice is its input.
        webhook: a URL that gets the notice as a JSON body; redirects are not followed.
        first_wait_seconds: upper bound of the wait before the second try; it doubles at each.
    """

    command: str | None = None
    webhook: str | None = None
    first_wait_seconds: float = 1.0


@dataclass
class _Waiting:
    """What was reported and not told yet."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, ids: Iterable[str]) -> None:
        new = list(ids)
        self.counts[kind] = self.counts.get(kind, 0) + len(new)
        kept = self.ids.setdefault(kind, [])
        kept.extend(new[: MOST_IDS - len(kept)])


class HookNotifier:
    """Collects for a moment, then calls the hooks. Use it from one event loop."""

    def __init__(self, hooks: Hooks, ledger: Ledger, clock: Clock) -> None:
        """Take where notices go, and the record that says which were sent."""
        self._hooks = hooks
        self._ledger = ledger
        self._clock = clock
        self._waiting = _Waiting()
        self._sending: asyncio.Task[None] | None = None

    def waiting(self, kind: str, ids: tuple[str, ...]) -> None:
        """Say that these holds or suggestions wait; returns at once and never fails."""
        if self._hooks.command is None and self._hooks.webhook is None:
            return
        self._waiting.add(kind, ids)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def close(self) -> None:
        """Stop; a notice on its way is given up."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    async def _send_all(self) -> None:
        while True:
            await asyncio.sleep(COLLECT_SECONDS)
            if not self._waiting.counts:
                return
            notice, self._waiting = self._waiting, _Waiting()
            text = json.dumps({"waiting": notice.counts, "ids": notice.ids}, ensure_ascii=True)
            await asyncio.gather(*(self._told(name, tell, notice) for name, tell in self._channels(text)))

    def _channels(self, text: str) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        async def command() -> None:
            await run_command(self._hooks.command or "", text)

        async def webhook() -> None:
            await post(self._hooks.webhook or "", text)

        given = (("command", command, self._hooks.command), ("webhook", webhook, self._hooks.webhook))
        return [(name, tell) for name, tell, target in given if target is not None]

    async def _told(self, name: str, tell: Callable[[], Awaitable[None]], notice: _Waiting) -> None:
        tries = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=self._hooks.first_wait_seconds, max=30),
        )
        try:
            await tries(tell)
        except RetryError as error:
            _LOG.warning(
                "the %s hook took no notice in %s tries: %s", name, _TRIES, error.last_attempt.exception()
            )
            self._note(name, notice, sent=False)
        else:
            self._note(name, notice, sent=True)

    def _note(self, channel: str, notice: _Waiting, *, sent: bool) -> None:
        event = Event(
            kind=EventKind.NOTICE_SENT,
            at=self._clock(),
            actor="notify",
            data={"channel": channel, "sent": sent, "waiting": dict(notice.counts)},
        )
        self._ledger.submit(lambda tx: tx.append(event))


async def run_command(command: str, text: str) -> None:
    """Run a program with a notice as its input, in an empty environment but for PATH.

    Raises:
        NoticeError: it cannot be started, takes too long, or ends with another code than 0.
    """
    try:
        program, *arguments = shlex.split(command)
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    except (OSError, ValueError) as error:
        raise NoticeError(f"the notify command cannot be started: {error}") from error
    try:
        async with asyncio.timeout(_SECONDS_EACH):
            await process.communicate(text.encode())
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise NoticeError(f"the notify command ended with code {process.returncode}, expected 0")


async def post(url: str, text: str) -> None:
    """Post a notice.

    Raises:
        NoticeError: the receiver did not answer with a code from 200 to 299.
        httpx.HTTPError: it could not be reached.
    """
    async with httpx.AsyncClient(timeout=_SECONDS_EACH, follow_redirects=False, trust_env=False) as client:
        answer = await client.post(url, content=text, headers={"content-type": "application/json"})
    if not answer.is_success:
        raise NoticeError(f"the notify webhook answered {answer.status_code}, expected 2xx")
