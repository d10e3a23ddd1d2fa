"""`serve`: one process that owns a state directory: database, keys, engine, gateways, clock.

It begins with the lock of the record, so a second one on the same state directory ends at once. It ends on
SIGTERM, SIGINT or SIGHUP: nobody is served any more, the boxes keep running (unless asked otherwise) with
their gateways closed, and the next serve takes them up again. The reaper enforces their time limit meanwhile.
"""

import asyncio
import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy.exc import DBAPIError

from console.api.app import Activity, create_app
from console.api.listener import bind, serve_until
from console.jobs import clockwork, owed
from console.kernel import Kernel, open_kernel
from console.logs import log_to_stderr
from rollout.clockwork import Clockwork
from rollout.scheduler import Scheduler
from runtime.clock import utc_now
from runtime.db import words_of
from runtime.errors import KernelError, LedgerUnavailableError
from runtime.record.events import Event, EventKind
from runtime.runs import store
from runtime.settings import Settings
from sandboxes.errors import SandboxError
from sandboxes.scrub.pack import shipped_pack

IDLE_SECONDS = 60.0
_LOOK_SECONDS = 1.0
_ASKED_SECONDS = 5.0
_SETTLED_SECONDS = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServeOptions:
    """How to serve.

    Attributes:
        socket: where to listen.
        single_user: one user runs everything; recorded, and nothing above tier 1.
        private: started by a launch; ends when no run is live and nobody has asked for a while.
        stop_runs: end the runs when serve ends.
        idle_seconds: how long a private one waits.
    """

    socket: Path
    single_user: bool = False
    private: bool = False
    stop_runs: bool = False
    idle_seconds: float = IDLE_SECONDS


def serve(settings: Settings, options: ServeOptions, *, ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve until told to stop.

    Args:
        settings: of the installation.
        options: how to serve.
        ready: called once, when requests are answered, with what to tell the user.

    Raises:
        ConsoleError: the socket cannot be made.
        runtime.errors.LedgerBusyError: another serve runs on this state directory.
    """
    log_to_stderr()
    uvloop.run(_serve(settings, options, ready))


async def _serve(settings: Settings, options: ServeOptions, ready: Callable[[dict[str, Any]], None]) -> None:
    stop = asyncio.Event()
    _stop_on_signals(stop)
    kernel = await asyncio.to_thread(
        open_kernel, settings, single_user=options.single_user or options.private
    )
    try:
        await _live(kernel, options, stop, ready)
    finally:
        await asyncio.to_thread(kernel.close)


async def _live(
    kernel: Kernel, options: ServeOptions, stop: asyncio.Event, ready: Callable[[dict[str, Any]], None]
) -> None:
    activity = Activity()
    taken = await kernel.begin()
    bound = bind(options.socket)
    await _record(kernel, EventKind.SERVE_STARTED, options, {"taken_up": list(taken)})
    work = clockwork(kernel)
    scheduler = Scheduler(owed(kernel, work), clock=utc_now, on_fault=kernel.report)
    scheduler.start()
    watches = [
        asyncio.create_task(_stop_when_idle(kernel, options, activity, stop)),
        asyncio.create_task(_stop_as_asked(kernel)),
        asyncio.create_task(_compile_rules(kernel)),
    ]
    try:
        app = create_app(kernel, own_uid=os.geteuid(), activity=activity, stop=stop)
        ready({"socket": str(options.socket), "pid": os.getpid(), "taken_up": list(taken)})
        await serve_until(app, bound, stop)
    finally:
        for watch in watches:
            watch.cancel()
        options.socket.unlink(missing_ok=True)
        await asyncio.to_thread(scheduler.stop)
        await kernel.runs.close(stop_runs=options.stop_runs)  # whether or not the record can be written now
        await kernel.end()
        await _record_end(kernel, work, options)


async def _record_end(kernel: Kernel, work: Clockwork, options: ServeOptions) -> None:
    """Record that serve ends, if the record takes it: a full disk keeps nobody from ending in order."""
    try:
        await asyncio.to_thread(work.give_back, kernel.clock())
        await _record(kernel, EventKind.SERVE_STOPPED, options, {"stopped_runs": options.stop_runs})
    except (LedgerUnavailableError, DBAPIError) as error:
        _LOG.warning(
            "serve has ended in order, but the record does not say so: %s; nothing that it says is lost, and "
            "what it lacks of runs the next serve adds; next: make room, then handrail serve",
            words_of(error),
        )


async def _record(kernel: Kernel, kind: EventKind, options: ServeOptions, more: dict[str, Any]) -> None:
    data = {"pid": os.getpid(), "single_user": kernel.single_user, "private": options.private, **more}
    event = Event(kind=kind, at=utc_now(), actor="serve", data=data)
    await kernel.ledger.write(lambda tx: tx.append(event))


async def _compile_rules(kernel: Kernel) -> None:
    """The first run need not wait for the scrubber's rules; whoever only starts and asks is not held up."""
    await asyncio.sleep(_SETTLED_SECONDS)
    if kernel.ground.rules.pack is None:
        await asyncio.to_thread(shipped_pack)


async def _stop_when_idle(
    kernel: Kernel, options: ServeOptions, activity: Activity, stop: asyncio.Event
) -> None:
    while options.private and not stop.is_set():
        await asyncio.sleep(_LOOK_SECONDS)
        if activity.idle_seconds >= options.idle_seconds and not await asyncio.to_thread(_live_runs, kernel):
            stop.set()


async def _stop_as_asked(kernel: Kernel) -> None:
    """End the runs that were asked to stop at another node of the same database."""
    while True:
        await asyncio.sleep(_ASKED_SECONDS)
        try:
            await kernel.runs.stop_as_asked()
        except (KernelError, SandboxError, DBAPIError) as error:
            _LOG.warning("what other nodes ask to stop cannot be read: %s; tried again", words_of(error))


def _live_runs(kernel: Kernel) -> int:
    with kernel.ledger.read() as connection:
        return len(store.unfinished(connection))


def _stop_on_signals(stop: asyncio.Event) -> None:
    """End in good order at the first signal; a second one ends at once, as the system's default."""
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN  # which is what nohup asks for
    for number in (signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if hangs_up else ())):
        loop.add_signal_handler(number, end, number)
