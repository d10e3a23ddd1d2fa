"""One request of the agent's client on its way through the gate to an upstream and back."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR

from profiles.schema import MemoryUpstream
from runtime.clock import NewId
from runtime.context.results import as_reached, as_seen
from runtime.gate.actions import Action, ActionKind
from runtime.gate.context import RunContext
from runtime.gate.replies import GateDoor, Performed, Reply
from runtime.gateway.answers import INTERNAL_TEXT
from runtime.gateway.app import running_task
from runtime.gateway.relay import Context, Mute, Progress, Relay
from runtime.gateway.shown import ShownToRun
from runtime.upstreams.upstreams import Upstreams

MAX_RATIONALE: Final = 4000
_LOG = logging.getLogger(__name__)


class Passage:
    """Makes actions of a run's requests and takes them through."""

    def __init__(self, run: RunContext, gate: GateDoor, upstreams: Upstreams, new_id: NewId) -> None:
        """Build the passage of one run.

        Args:
            run: the run.
            gate: decides and records.
            upstreams: carry out.
            new_id: names each action.
        """
        self.run = run
        self.upstreams = upstreams
        self.shown = ShownToRun(run, gate)
        self.relay = Relay(run, gate, self.action, self.shown)
        self._gate = gate
        self._new_id = new_id
        self._works: set[asyncio.Task[Any]] = set()

    def action(
        self, kind: ActionKind, target: str, args: Mapping[str, Any], rationale: str | None = None
    ) -> Action:
        """Name an action of this run."""
        return Action(self._new_id("act"), self.run.run, kind, target, args, rationale)

    async def take(
        self, ctx: Context | Mute, kind: ActionKind, target: str, args: Mapping[str, Any]
    ) -> Reply:
        """Take one request through: its arguments get the run's own values back, its answer loses them.

        Raises:
            MCPError: something failed on our side; the cause is logged and never told.
        """
        restored = _as_it_is if self._is_memory(kind, target) else self.run.scrubber.arguments
        action = self.action(kind, restored(target), restored(args), rationale_in(ctx.params))
        progress = None if isinstance(ctx, Mute) else Progress(ctx, self.shown, action)
        hooks = self.relay.hooks(ctx, progress)

        async def perform() -> Performed:
            return as_seen(self.run, action, await self.upstreams.call(as_reached(self.run, action), hooks))

        waiting = None if progress is None else progress.waiting
        enforced = self._gate.enforce(self.run, action, perform, progress=waiting)
        try:
            return await (self._watched(enforced) if isinstance(ctx, Mute) else self._apart(enforced))
        except Exception as cause:
            _LOG.exception("action %s of run %s failed", action.id, self.run.run)
            raise MCPError(INTERNAL_ERROR, INTERNAL_TEXT) from cause

    async def _watched(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        """Do the work here: what serves a mute client cancels it once, and it still records its outcome."""
        here = running_task()
        self._works.add(here)
        try:
            return await work
        finally:
            self._works.discard(here)

    async def _apart(self, work: Coroutine[Any, Any, Reply]) -> Reply:
        """Do the work in a task of its own: the SDK cancels again and again, and this passes it on once."""
        task = asyncio.create_task(work)
        self._works.add(task)
        task.add_done_callback(self._works.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.cancel()
            raise

    def _is_memory(self, kind: ActionKind, target: str) -> bool:
        """Whether it goes to a memory: what a later run reads must not be this run's own values."""
        spec = self.run.profile.tools.get(target) if kind is ActionKind.TOOL else None
        return spec is not None and isinstance(self.run.profile.upstreams[spec.upstream], MemoryUpstream)

    async def close(self) -> None:
        """Cancel what runs and wait until each has recorded its outcome."""
        for work in tuple(self._works):
            work.cancel()
        await asyncio.gather(*self._works, return_exceptions=True)


def _as_it_is(value: Any) -> Any:
    return value


def rationale_in(params: Mapping[str, Any] | None) -> str | None:
    """The agent's own words for why, where it gave them (R-11)."""
    meta = (params or {}).get("_meta")
    given = meta.get("rationale") if isinstance(meta, Mapping) else None
    return given[:MAX_RATIONALE] if isinstance(given, str) else None
