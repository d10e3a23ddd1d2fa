"""What happens to runs after their release: watched, stopped, ended, and found again after a restart."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runtime import agents, deployments
from runtime.deployments import Deployment
from runtime.errors import KernelError
from runtime.runs import store
from runtime.runs.endings import EndingOnRecord
from runtime.runs.launch import LiveRun, launch
from runtime.runs.logs import RunLogs
from runtime.runs.machinery import Machinery
from runtime.runs.states import LaunchRequest, RunError, RunState, RunView
from runtime.threads import in_daemon_thread
from sandboxes.attest import attest
from sandboxes.channel import open_channel
from sandboxes.driver import Box, BoxState, Phase
from sandboxes.errors import BoxGoneError, SandboxError
from sandboxes.labels import is_agents
from sandboxes.outcome import Ending, Outcome, StopCause, cause_of, outcome_of
from sandboxes.plan import agent_box
from sandboxes.removal import remove_surely

_LOG = logging.getLogger(__name__)


@dataclass
class _Watched:
    run: LiveRun
    task: asyncio.Task[None]
    ending: EndingOnRecord
    cause: StopCause | None = None
    killing: asyncio.Task[None] | None = None
    reaper: asyncio.Task[None] | None = None


class Runs:
    """All runs of one `serve`."""

    def __init__(self, machinery: Machinery) -> None:
        self._machinery = machinery
        self._logs = RunLogs(machinery.ledger, machinery.driver, machinery.owner)
        self._watched: dict[str, _Watched] = {}
        self._launching: dict[str, asyncio.Event] = {}

    async def start(self, request: LaunchRequest) -> RunView:
        """Launch and watch a run; see `launch` for what is raised."""
        deployment, owner = await asyncio.to_thread(self._subject, request.deployment)
        self._machinery.check_setting(deployment.profile, request.setting)
        name = self._machinery.new_id("run")
        over = self._launching[name] = asyncio.Event()
        try:
            run = await launch(self._machinery, name, request, deployment, owner)
            self._watch(run)
        finally:
            del self._launching[name]
            over.set()
        self._watched[name].reaper = asyncio.create_task(asyncio.to_thread(self._machinery.reap))
        return run.view

    async def stop(self, run: str, cause: StopCause = StopCause.STOPPED) -> RunView:
        """End a run's box at once and wait for its ending to be recorded.

        A run that is not released yet is ended on record; its launch finds that out before the release. One
        whose release is committed while its launch goes on is ended as soon as that launch is over. One of
        another node is ended by that node, which looks now and then for what it was asked to end.

        Raises:
            RunError: there is no such run.
            LedgerUnavailableError: its box has ended; the record does not take its ending yet.
        """
        view = await self._machinery.view(run)
        if view.state is RunState.REQUESTED and await self._ended_unreleased(view):
            return await self._machinery.view(run)
        if launching := self._launching.get(run):
            await launching.wait()
        watched = self._watched.get(run)
        if watched is None:
            return await self._ask_its_node(view)
        watched.cause = watched.cause or cause
        await asyncio.to_thread(self._machinery.driver.kill, watched.run.box)
        await watched.ending.wait(watched.task)
        return await self._machinery.view(run)

    async def stop_as_asked(self) -> None:
        """End the runs of this node that another node wants ended."""
        for run in await asyncio.to_thread(self._asked):
            if run in self._watched:
                await self.stop(run)

    async def logs(self, run: str) -> bytes:
        """Return what a run has written so far, or the kept tail once it has ended."""
        return await asyncio.to_thread(self._logs.so_far, await self._machinery.view(run))

    def follow(self, run: str) -> Iterator[bytes]:
        """Yield a live run's output until it ends; blocking, so call it from a thread.

        Raises:
            RunError: the run is not live here.
        """
        watched = self._watched.get(run)
        if watched is None:
            raise RunError(f"run {run} is not running; `handrail runs logs {run}` shows what it wrote")
        return self._logs.follow(watched.run.box, run)

    async def clear(self) -> None:
        """After a restart, before anything else makes a box: remove ours that belong to no unfinished run.

        Upstreams always go: whoever spoke to them through their streams is no more.
        """
        boxes = await asyncio.to_thread(self._machinery.driver.list_boxes, self._machinery.owner)
        live = {view.id for view in await asyncio.to_thread(self._unfinished)}
        for box in boxes:
            if not (is_agents(box) and box.labels.get("run") in live):
                await asyncio.to_thread(self._machinery.driver.remove, box)

    async def recover(self) -> tuple[str, ...]:
        """After a restart: take up the runs whose boxes still live, name the ending of the others.

        Returns the ids of the runs taken up.
        """
        boxes = await asyncio.to_thread(self._machinery.driver.list_boxes, self._machinery.owner)
        by_run = {box.labels.get("run"): box for box in boxes if is_agents(box)}
        unfinished = await asyncio.to_thread(self._unfinished)
        return tuple([view.id for view in unfinished if await self._take_up(view, by_run.get(view.id))])

    async def close(self, *, stop_runs: bool = False) -> None:
        """Let go of all runs. Their boxes keep running unless asked otherwise; the reaper ends them.

        A launch under way comes to its end before, or is undone where whoever asked for it was cancelled.
        Whatever goes wrong with one run is logged: the others are let go, and the next serve finds its box.
        """
        for launching in list(self._launching.values()):
            await launching.wait()
        if stop_runs:
            stops = (self.stop(run) for run in list(self._watched))
            _log_all(await asyncio.gather(*stops, return_exceptions=True))
        for watched in list(self._watched.values()):
            watched.task.cancel()
            _log_all(await asyncio.gather(watched.task, return_exceptions=True))
            await _shut(watched.run)
        self._watched.clear()
        await self._machinery.endings.close()

    def _subject(self, digest: str) -> tuple[Deployment, str]:
        with self._machinery.ledger.read() as connection:
            deployment = deployments.find(connection, digest)
            return deployment, agents.find(connection, deployment.parts.agent).owner

    def _check_setting(self, view: RunView) -> None:
        with self._machinery.ledger.read() as connection:
            store.check_setting(connection, view)

    def _watch(self, run: LiveRun) -> None:
        task = asyncio.create_task(self._until_end(run), name=f"watch {run.view.id}")
        self._watched[run.view.id] = _Watched(run, task, EndingOnRecord(run.view.id))

    async def _until_end(self, run: LiveRun) -> None:
        left = (run.view.expires_at - self._machinery.clock()).total_seconds()
        limit = asyncio.get_running_loop().call_later(max(0.0, left), self._time_is_up, run)
        try:
            ended = await self._wait(run.box)
        finally:
            limit.cancel()
        await self._end(run, ended)

    def _time_is_up(self, run: LiveRun) -> None:
        watched = self._watched.get(run.view.id)
        if watched is not None:
            watched.cause = watched.cause or StopCause.TIME_LIMIT
            watched.killing = asyncio.create_task(asyncio.to_thread(self._machinery.driver.kill, run.box))

    async def _wait(self, box: Box) -> BoxState | SandboxError:
        try:
            return await in_daemon_thread(lambda: self._machinery.driver.wait(box))
        except SandboxError as error:
            return error

    async def _end(self, run: LiveRun, ended: BoxState | SandboxError) -> None:
        watched = self._watched[run.view.id]
        state = None if isinstance(ended, SandboxError) else ended
        trouble = "" if state or isinstance(ended, BoxGoneError) else str(ended)
        outcome = outcome_of(state, released=True, cause=watched.cause, trouble=trouble)
        await _shut(run)
        log = await asyncio.to_thread(self._logs.final, run.box)
        await watched.ending.record(lambda: self._record_end(run.view, outcome, log))
        await asyncio.to_thread(remove_surely, self._machinery.driver, run.box)
        self._watched.pop(run.view.id, None)

    async def _take_up(self, view: RunView, box: Box | None) -> bool:
        """Resume one run if its box lives, was released and still passes attestation; else end it."""
        state = await asyncio.to_thread(self._state, box) if box else None
        released, cause = view.state is RunState.RUNNING, None
        if box and state and state.phase in (Phase.RUNNING, Phase.PAUSED):
            if released and await self._is_resumed(view, box):
                return True
            cause = StopCause.KILLED if released else None
            state = await asyncio.to_thread(self._killed, box)
        elif box and state and released:
            cause = cause_of(state, expires_at=box.expires_at)
        outcome = outcome_of(state, released=released, cause=cause)
        log = await asyncio.to_thread(self._logs.final, box) if box else ""
        await self._record_end(view, outcome, log)
        if box:
            await asyncio.to_thread(remove_surely, self._machinery.driver, box)
        return False

    async def _record_end(self, view: RunView, outcome: Outcome, log: str | None) -> None:
        now = self._machinery.clock()
        told = outcome.silent if log is None else outcome
        await self._machinery.ledger.write(lambda tx: store.ended(tx, view, told, log or "", now=now))

    async def _ended_unreleased(self, view: RunView) -> bool:
        outcome, now = Outcome(Ending.STOPPED, "a person stopped the launch"), self._machinery.clock()
        states = (RunState.REQUESTED,)
        return await self._machinery.ledger.write(
            lambda tx: store.ended(tx, view, outcome, "", now=now, states=states)
        )

    async def _is_resumed(self, view: RunView, box: Box) -> bool:
        try:
            self._watch(await self._reopen(view, box))
        except (SandboxError, KernelError) as error:
            _LOG.warning("run %s cannot go on: %s", view.id, error)
            return False
        return True

    async def _reopen(self, view: RunView, box: Box) -> LiveRun:
        await asyncio.to_thread(self._check_setting, view)
        deployment, owner = await asyncio.to_thread(self._subject, view.deployment)
        spec = agent_box(deployment.profile, deployment.parts.image, runtime=view.runtime, labels=box.labels)
        await asyncio.to_thread(attest, self._machinery.driver, box, spec)
        context = self._machinery.context(view, deployment, owner)
        channel = await asyncio.to_thread(open_channel, self._machinery.driver, box)
        run = LiveRun(view, box, channel, self._machinery.door(context, deployment, view.runtime))
        try:
            run.door.start()
            await run.door.open(channel.listeners)
            await run.door.ready()
        except BaseException:
            await _shut(run)
            raise
        run.door.release()
        return run

    def _killed(self, box: Box) -> BoxState | None:
        self._machinery.driver.kill(box)
        try:
            return self._machinery.driver.wait(box)
        except SandboxError:
            return None

    def _unfinished(self) -> list[RunView]:
        with self._machinery.ledger.read() as connection:
            return store.unfinished(connection, node=self._machinery.owner)

    def _asked(self) -> list[str]:
        with self._machinery.ledger.read() as connection:
            return store.asked_to_stop(connection, node=self._machinery.owner)

    async def _ask_its_node(self, view: RunView) -> RunView:
        if view.state is not RunState.ENDED and view.node not in (None, self._machinery.owner):
            now = self._machinery.clock()
            await self._machinery.ledger.write(lambda tx: store.ask_to_stop(tx, view, now=now))
        return await self._machinery.view(view.id)

    def _state(self, box: Box) -> BoxState | None:
        try:
            return self._machinery.driver.inspect(box)
        except BoxGoneError:
            return None


async def _shut(run: LiveRun) -> None:
    await run.door.close()
    run.channel.close()


def _log_all(ended: Sequence[object]) -> None:
    for error in ended:
        if isinstance(error, Exception):
            _LOG.error("a run was not brought to its end: %s: %s", type(error).__name__, error)
