"""From an upstream's answer to what the agent may see of it. What was done stays done, whatever fails."""

import logging
from dataclasses import replace

from profiles.schema import MemoryUpstream, Profile
from profiles.setting import Setting
from runtime.canonical import JsonValue
from runtime.context.note import Taint
from runtime.context.scrubbing import Shown, note_of
from runtime.gate.actions import Action, ActionKind
from runtime.gate.context import RunContext
from runtime.gate.replies import Executor, Performed, Progress
from runtime.upstreams.errors import RpcError
from runtime.upstreams.peers import INTERNAL_ERROR
from runtime.upstreams.replies import performed_error, texts
from sandboxes.constants import INTERNAL_TEXT

_LOG = logging.getLogger(__name__)


class SeenExecutor:
    """Carries out actions of one run and returns what its agent may see of the answers."""

    def __init__(self, run: RunContext, executor: Executor) -> None:
        """Put it before what really carries out."""
        self._run = run
        self._executor = executor

    async def perform(self, action: Action, *, progress: Progress | None = None) -> Performed:
        """Do it and return the reply, scrubbed; see `runtime.gate.replies.Executor`."""
        reached = as_reached(self._run, action)
        return as_seen(self._run, action, await self._executor.perform(reached, progress=progress))


def as_reached(run: RunContext, action: Action) -> Action:
    """Return an action as it is carried out: in an evaluation under the names of its own endpoints."""
    if run.setting is Setting.PRODUCTION:
        return action
    reached = run.scrubber.reached
    return replace(action, tool=reached(action.tool), args=reached(action.args))


def as_seen(run: RunContext, action: Action, performed: Performed) -> Performed:
    """Return an answer as the agent may see it, with its note.

    What cannot be scrubbed is answered as a failure behind the gateway; the record says that it was done.
    """
    source, taint = source_of(action), taint_of(run.profile, action)
    try:
        shown = run.scrubber.result(source, taint, performed.payload)
        later = run.scrubber.released(source, taint, performed.payload) if shown.held else None
    except Exception as error:  # noqa: BLE001 - it was done; whatever fails here, nothing unscrubbed is shown
        _LOG.error("action %s: its result was not scrubbed: %s", action.id, type(error).__name__)
        return replace(_failure(source, taint), used=performed.used)
    seen = _with(performed, shown)
    return seen if later is None else replace(seen, once_seen=_with(performed, later))


def source_of(action: Action) -> str:
    """Return where an action's answer comes from, under names of the profile only."""
    named = action.kind in (ActionKind.TOOL, ActionKind.REQUEST, ActionKind.MODEL)
    return f"{action.kind.value}:{action.tool}" if named else action.kind.value


def taint_of(profile: Profile, action: Action) -> Taint:
    """Return whose words an action's answer is: the profile says which tools and upstreams it trusts."""
    if action.kind is ActionKind.MODEL:
        return Taint.MODEL
    spec = profile.tools.get(action.tool) if action.kind is ActionKind.TOOL else None
    if spec is None:
        return taint_of_all(profile)
    return Taint.TRUSTED if profile.is_trusted(spec.upstream, action.tool) else Taint.UNTRUSTED


def taint_of_all(profile: Profile) -> Taint:
    """Return whose words they are where any of the upstreams may speak; a memory never does by itself."""
    speak = [name for name, one in profile.upstreams.items() if not isinstance(one, MemoryUpstream)]
    trusted = all(profile.is_trusted(upstream) for upstream in speak)
    return Taint.TRUSTED if trusted else Taint.UNTRUSTED


def _with(performed: Performed, shown: Shown) -> Performed:
    same = shown.value == performed.payload
    text = performed.text if same else "\n".join(texts(shown.value))
    return replace(performed, payload=shown.value, text=text, note=shown.note)


def _failure(source: str, taint: Taint) -> Performed:
    told = performed_error(RpcError(INTERNAL_ERROR, INTERNAL_TEXT))
    payload: JsonValue = told.payload
    return replace(told, note=note_of(source, taint, payload, ()))
