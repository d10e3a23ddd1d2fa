"""Routes for runs."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from console.api.deps import Body, KernelDep, PeerDep, StopDep
from console.api.model_views import usage_view
from console.api.pump import Pump
from console.api.streams import lines
from console.api.views import Json, run_view
from console.kernel import Kernel
from profiles.setting import Setting
from runtime import deployments
from runtime.deployments import Deployment
from runtime.models import usage
from runtime.runs import store
from runtime.runs.states import LaunchRequest, RunState, RunView
from sandboxes.lint.shown import lint_launch, suggested_task
from sandboxes.spec import Runtime

router = APIRouter(prefix="/runs")
_LINE_BYTES = 65_536
_ENDING_LOOKS = 200
_ENDING_LOOK_SECONDS = 0.05


class Launch(Body):
    """What an operator asks for."""

    agent: str
    task: str | None = None
    deployment: str | None = None
    command: tuple[str, ...] = ()
    runtime: Runtime = Runtime.RUNC
    setting: Setting = Setting.PRODUCTION


@router.post("")
async def launch(kernel: KernelDep, peer: PeerDep, body: Launch) -> Json:
    """Launch the deployment asked for, or the agent's newest; the peer's user is its operator."""
    found = await asyncio.to_thread(_deployment, kernel, body)
    request = LaunchRequest(
        deployment=found.digest,
        operator=peer.user,
        task=body.task,
        command=body.command,
        runtime=body.runtime,
        single_user=kernel.single_user,
        setting=body.setting,
    )
    started = await kernel.runs.start(request)
    task, rules = body.task or "", kernel.ground.rules
    told = lint_launch(task, body.command, found.profile, rules)
    suggested = suggested_task(task, found.profile, rules)
    return {
        "run": run_view(started),
        "told": [one.as_json() for one in told],
        "task": {"given": task, "suggested": suggested},
    }


@router.get("")
def newest(
    kernel: KernelDep,
    agent: str | None = None,
    setting: Setting | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
) -> Json:
    """List runs, newest first."""
    with kernel.ledger.read() as connection:
        found = store.newest(connection, agent=agent, setting=setting, limit=limit)
    return {"runs": [run_view(run) for run in found]}


@router.get("/{run}")
def show(kernel: KernelDep, run: str) -> Json:
    """Show one run, how its box was proved, and what it used of its model."""
    with kernel.ledger.read() as connection:
        view = store.find(connection, run)
        proof = store.proof_of(connection, view.id)
        spec = deployments.find(connection, view.deployment).profile.model
        used = usage.of_run(connection, view.id)
        day = f"{kernel.clock():%Y-%m-%d}"
        today = usage.of_day(connection, usage.holder_of(view.agent, view.setting), day)
    model = None if spec is None else usage_view(spec, used, today)
    return {"run": run_view(view), "proof": proof, "model": model}


@router.post("/{run}/stop")
async def stop(kernel: KernelDep, run: str) -> Json:
    """End a run and wait until its ending is recorded."""
    return {"run": run_view(await kernel.runs.stop(run))}


@router.get("/{run}/logs")
async def logs(kernel: KernelDep, stopping: StopDep, run: str, *, follow: bool = False) -> StreamingResponse:
    """Stream what the agent wrote, a line at a time; with `follow`, until the run ends or serve does."""
    view = await asyncio.to_thread(_find, kernel, run)
    if follow and view.state is RunState.RUNNING:
        text = Pump(_split(kernel.runs.follow(run)))
        return lines(_then_ended(kernel, run, text.items(stopping), stopping))
    return lines(_all(await kernel.runs.logs(run)))


def _find(kernel: Kernel, run: str) -> RunView:
    with kernel.ledger.read() as connection:
        return store.find(connection, run)


def _deployment(kernel: Kernel, body: Launch) -> Deployment:
    with kernel.ledger.read() as connection:
        if body.deployment is None:
            return deployments.newest(connection, body.agent)
        return deployments.find(connection, body.deployment)


def _split(pieces: Iterator[bytes]) -> Generator[Json, None, None]:
    """Join what the engine hands over into lines; a line without an end is given when the run ends.

    One that is too long is given in parts: an agent that never ends a line must not fill our memory.
    """
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (_line(one) for one in whole)
        while len(rest) > _LINE_BYTES:
            yield _line(rest[:_LINE_BYTES])
            rest = rest[_LINE_BYTES:]
    if rest:
        yield _line(rest)


async def _all(text: bytes) -> AsyncIterator[Json]:
    for item in _split(iter([text])):
        yield item


async def _then_ended(
    kernel: Kernel, run: str, items: AsyncIterator[Json], stopping: asyncio.Event
) -> AsyncIterator[Json]:
    """Yield items, and end only when the run's ending is recorded, so that it can be asked for next."""
    async for item in items:
        yield item
    for _ in range(_ENDING_LOOKS):
        if stopping.is_set() or (await asyncio.to_thread(_find, kernel, run)).state is RunState.ENDED:
            return
        await asyncio.sleep(_ENDING_LOOK_SECONDS)


def _line(text: bytes) -> Json:
    return {"line": text.decode(errors="replace").removesuffix("\r")}
