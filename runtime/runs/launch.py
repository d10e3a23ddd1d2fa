"""The launch: from a recorded request to a released agent, in the order that keeps it safe.

1. The request is recorded before anything is made for it, unless the deployment is frozen or has no grant.
2. The box is made and started; behind its stdin gate it runs nothing yet. Upstreams start beside it.
3. Listeners are made inside the box's own network namespace; they answer nothing.
4. The box is attested, and the upstreams offer what the deployment pinned. A mismatch ends the launch.
5. The release is committed, then written into the box, then the gateway answers.

An image without a shell cannot wait: its box starts with its own command, and the silent gateway is the gate.
Whatever fails, what was made is taken away again and the run has a named ending.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from runtime.context.own import box_values
from runtime.deployments import NO_MEMORY, Deployment
from runtime.drafting import resolve_images
from runtime.errors import LedgerUnavailableError
from runtime.memory.loading import loaded
from runtime.record.batch import Tx
from runtime.runs import store
from runtime.runs.machinery import Door, Machinery
from runtime.runs.permitted import check_permitted
from runtime.runs.states import LaunchRequest, RunError, RunView
from runtime.threads import making, to_the_end
from sandboxes.attest import attest
from sandboxes.channel import Channel, open_channel
from sandboxes.context import AgentContext, visible_context
from sandboxes.driver import Box
from sandboxes.labels import AGENT, PART
from sandboxes.lint.shown import lint_launch
from sandboxes.outcome import Ending, Outcome
from sandboxes.plan import agent_box
from sandboxes.removal import remove_surely
from sandboxes.spec import BoxSpec


@dataclass
class LiveRun:
    """A released run and what belongs to it in this process."""

    view: RunView
    box: Box
    channel: Channel
    door: Door


async def launch(
    machinery: Machinery, run: str, request: LaunchRequest, deployment: Deployment, owner: str
) -> LiveRun:
    """Launch a deployment.

    Args:
        machinery: what launches need.
        run: the new run's id.
        request: what the operator asks for.
        deployment: the one requested, as stored.
        owner: the person who owns the agent.

    Raises:
        RunError: neither the profile nor the request names a command, the deployment's image is no longer
            the pinned one, it is frozen or has no `read` grant, or the run was stopped meanwhile.
        runtime.memory.errors.AgentMemoryError: its memory is quarantined, or was changed by hand.
        sandboxes.errors.ContextError: the task is more than a box can carry.
        sandboxes.errors.ScrubError: the task cannot be looked through.
        sandboxes.errors.SandboxError: the box could not be made, or is not what it should be.
        runtime.errors.LedgerError: the record did not take an entry.
    """
    shown = shown_to(deployment, command=_command(request, deployment), task=request.task or "")
    await asyncio.to_thread(_check_images, machinery, deployment)
    await asyncio.to_thread(machinery.memory.check, deployment, request.setting)
    recording = asyncio.create_task(_record_request(machinery, run, request, deployment))
    try:
        view = await asyncio.shield(recording)
    except asyncio.CancelledError as given_up:  # it may be on record already: then it needs its ending
        given = partial(Launching, machinery, deployment=deployment, owner=owner, shown=shown)
        await to_the_end(_undo_recorded(recording, given, given_up))
        raise
    except LedgerUnavailableError as late:
        if late.may_be_written:
            await machinery.endings.record(run, partial(_end_if_recorded, machinery, run, late))
        raise
    launching = Launching(machinery, view, deployment, owner, shown)
    try:
        return await launching.run()
    except BaseException as error:
        await to_the_end(launching.undo(error))
        raise


async def _undo_recorded(
    recording: "asyncio.Task[RunView]", launching: "Callable[[RunView], Launching]", error: BaseException
) -> None:
    await launching(await recording).undo(error)


class Launching:
    """One launch under way: it knows what it has made, so that it can take it away."""

    def __init__(
        self,
        machinery: Machinery,
        view: RunView,
        deployment: Deployment,
        owner: str,
        shown: AgentContext,
    ) -> None:
        self._machinery = machinery
        self._view = view
        self._deployment = deployment
        self._owner = owner
        self._shown = shown
        self._box: Box | None = None
        self._door: Door | None = None
        self._channel: Channel | None = None

    async def run(self) -> LiveRun:
        """Go through the steps of the module's docstring."""
        image = await asyncio.to_thread(self._machinery.driver.image, self._deployment.parts.image)
        spec = self._spec(gated=image.has_shell)
        context = self._machinery.context(self._view, self._deployment, self._owner)
        self._door = self._machinery.door(context, self._deployment, self._view.runtime)
        self._door.start()
        if not spec.gated:
            await self._commit_release()
        driver = self._machinery.driver
        box = self._box = await making(lambda: self._make(spec), driver.remove)
        if not spec.gated:  # its agent runs already, and its time must end also where this process ends now
            await asyncio.to_thread(self._machinery.reap)
        context.scrubber.also(box_values(box.id))
        self._channel = await making(lambda: open_channel(driver, box), Channel.close)
        await self._door.open(self._channel.listeners)
        await self._attest(box, spec)
        await self._door.ready()
        if spec.gated:
            await self._commit_release()
            await asyncio.to_thread(driver.release, box, self._shown.command, self._shown.environment)
        self._door.release()
        return LiveRun(await self._machinery.view(self._view.id), box, self._channel, self._door)

    async def undo(self, error: BaseException) -> None:
        """Take away what was made and record how the launch ended, now or as soon as the record takes it."""
        if self._door is not None:
            await self._door.close()
        if self._channel is not None:
            self._channel.close()
        if self._box is not None:
            await asyncio.to_thread(remove_surely, self._machinery.driver, self._box)
        outcome, now = _never_started(error), self._machinery.clock()
        write = self._machinery.ledger.write
        await self._machinery.endings.record(
            self._view.id, lambda: write(lambda tx: store.ended(tx, self._view, outcome, "", now=now))
        )

    def _spec(self, *, gated: bool) -> BoxSpec:
        spec = agent_box(
            self._deployment.profile,
            self._deployment.parts.image,
            runtime=self._view.runtime,
            labels={"run": self._view.id, PART: AGENT},
        )
        if gated:
            return spec
        return replace(spec, command=self._shown.command, environment=self._shown.environment)

    def _make(self, spec: BoxSpec) -> Box:
        driver = self._machinery.driver
        box = driver.create(spec, owner=self._machinery.owner, now=self._machinery.clock())
        try:
            driver.start(box)
        except BaseException:
            remove_surely(driver, box)
            raise
        return box

    async def _attest(self, box: Box, spec: BoxSpec) -> None:
        proof = await asyncio.to_thread(attest, self._machinery.driver, box, spec)
        now = self._machinery.clock()
        await self._machinery.ledger.write(lambda tx: store.attested(tx, self._view, proof, now=now))

    async def _commit_release(self) -> None:
        now, shown = self._machinery.clock(), self._shown.items
        await self._machinery.ledger.write(lambda tx: store.released(tx, self._view, shown, now=now))


def shown_to(deployment: Deployment, *, command: Sequence[str], task: str = "") -> AgentContext:
    """Return all that the agent of a deployment is shown; nothing else of a launch reaches it.

    Args:
        deployment: its tools by name and pin, and its model's alias.
        command: the program and its arguments.
        task: what the operator asks for.

    Raises:
        sandboxes.errors.ContextError: the task is more than a box can carry.
    """
    profile, manifest = deployment.profile, deployment.parts.manifest
    pins = {
        name: manifest.get(spec.upstream, {}).get(f"tool:{spec.tool or name}", "")
        for name, spec in profile.tools.items()
    }
    alias = profile.model.alias if profile.model else ""
    return visible_context(command=command, task=task, model=alias, tools=pins)


def _command(request: LaunchRequest, deployment: Deployment) -> tuple[str, ...]:
    command = request.command or deployment.profile.command
    if not command:
        agent = deployment.parts.agent
        raise RunError(
            f"profile {deployment.profile.profile} names no `command`, so the launch must: "
            f"handrail launch {agent} -- PROGRAM ARGUMENTS, with a program that image "
            f"{deployment.profile.image} has"
        )
    return command


def _check_images(machinery: Machinery, deployment: Deployment) -> None:
    image, upstream_images = resolve_images(deployment.profile, machinery.driver)
    named = {deployment.profile.image: (image, deployment.parts.image)}
    for name, digest in upstream_images.items():
        named[f"of upstream {name}"] = (digest, deployment.parts.upstream_images.get(name, "none"))
    for name, (now, pinned) in named.items():
        if now != pinned:
            raise RunError(
                f"image {name} is {now[:19]} now, the deployment pinned {pinned[:19]}; "
                "review it and make a new one with `handrail deploy create`"
            )


async def _record_request(
    machinery: Machinery, run: str, request: LaunchRequest, deployment: Deployment
) -> RunView:
    now = machinery.clock()
    expires_at = now + timedelta(seconds=deployment.profile.limits.wall_seconds)
    agent = deployment.parts.agent
    command, rules = _command(request, deployment), machinery.rules
    told = lint_launch(request.task or "", command, deployment.profile, rules)

    def unit(tx: Tx) -> None:
        roster = machinery.policies.current(tx.conn).roster
        check_permitted(tx.conn, deployment, now=tx.now, roster=roster)
        version = loaded(tx.conn, deployment, request.setting, roster=roster)
        store.requested(
            tx,
            run,
            request,
            agent=agent,
            node=machinery.owner,
            expires_at=expires_at,
            now=now,
            memory=NO_MEMORY if version is None else str(version.digest),
            told=told,
        )

    await machinery.ledger.write(unit)
    return replace(await machinery.view(run), setting=request.setting)  # as asked: a row decides nothing


async def _end_if_recorded(machinery: Machinery, run: str, error: LedgerUnavailableError) -> None:
    """Record the ending of a launch whose request was waited for in vain, and is on record perhaps."""
    outcome, now = _never_started(error), machinery.clock()

    def unit(tx: Tx) -> None:
        for view in store.unfinished(tx.conn, node=machinery.owner):
            if view.id == run:
                store.ended(tx, view, outcome, "", now=now)

    await machinery.ledger.write(unit)


def _never_started(error: BaseException) -> Outcome:
    if isinstance(error, asyncio.CancelledError):
        return Outcome(Ending.NEVER_STARTED, "the launch was given up before it was over")
    return Outcome(Ending.NEVER_STARTED, f"{type(error).__name__}: {error}")
