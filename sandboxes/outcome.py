"""How a box ended, as a named outcome: never dressed as something the agent wrote."""

import signal
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sandboxes.driver import BoxState, Phase

_SIGNAL_BASE = 128
_KILLED = _SIGNAL_BASE + signal.SIGKILL


class StopCause(StrEnum):
    """Why the host ended a box, as far as the host knows."""

    TIME_LIMIT = "time_limit"
    STOPPED = "stopped"
    KILLED = "killed"


class Ending(StrEnum):
    """The closed set of endings."""

    RUNNING = "running"
    EXITED = "exited"
    FAILED = "failed"
    SIGNALLED = "signalled"
    OUT_OF_MEMORY = "out_of_memory"
    TIME_LIMIT = "time_limit"
    STOPPED = "stopped"
    KILLED = "killed"
    NEVER_STARTED = "never_started"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An ending with its reason. `exit_code` is the process's own, where it had one."""

    ending: Ending
    reason: str
    exit_code: int | None = None

    @property
    def final(self) -> bool:
        """Whether the box has ended."""
        return self.ending is not Ending.RUNNING

    @property
    def silent(self) -> "Outcome":
        """The same of a box whose output is lost: an agent that wrote nothing is another thing."""
        return replace(self, reason=f"{self.reason}; the engine has nothing left of what it wrote")


def outcome_of(
    state: BoxState | None, *, released: bool, cause: StopCause | None = None, trouble: str = ""
) -> Outcome:
    """Name the ending of a box.

    Args:
        state: the engine's last word, None when it no longer knows the box or does not answer.
        released: whether the release was recorded; a gated shell that ends without it ran nothing.
        cause: set when the host ended the box.
        trouble: why there is no state, where it is not that the engine knows no such box.
    """
    if cause is not None and (state is None or state.phase is not Phase.RUNNING):
        return Outcome(Ending(cause.value), _CAUSES[cause], state.exit_code if state else None)
    if state is None and not released:
        return Outcome(Ending.NEVER_STARTED, trouble or "its launch was broken off before its release")
    if state is None:
        return Outcome(Ending.LOST, trouble or "the engine no longer knows the box")
    if state.phase in (Phase.RUNNING, Phase.PAUSED):
        return Outcome(Ending.RUNNING, "the box is running")
    if state.phase is Phase.CREATED or not released:
        return Outcome(
            Ending.NEVER_STARTED, state.error or "nothing was released into the box", state.exit_code
        )
    return _exited(state)


def cause_of(state: BoxState, *, expires_at: datetime) -> StopCause | None:
    """Tell why the host ended a box while nobody watched it: at its expiry the reaper does, by SIGKILL.

    Args:
        state: the engine's last word.
        expires_at: when the box's time was up.
    """
    if state.exit_code != _KILLED or state.oom_killed or not state.finished_at:
        return None
    is_late = datetime.fromisoformat(state.finished_at) >= expires_at
    return StopCause.TIME_LIMIT if is_late else None


def _exited(state: BoxState) -> Outcome:
    code = state.exit_code
    if state.oom_killed and code != 0:
        return Outcome(Ending.OUT_OF_MEMORY, "the kernel ended a process for want of memory", code)
    if code is None:
        return Outcome(Ending.LOST, "the engine knows no exit code")
    if code == 0:
        return Outcome(Ending.EXITED, "the agent ended by itself", code)
    if code > _SIGNAL_BASE:
        return Outcome(Ending.SIGNALLED, f"the agent ended by signal {code - _SIGNAL_BASE}", code)
    return Outcome(Ending.FAILED, f"the agent ended with exit code {code}", code)


_CAUSES = {
    StopCause.TIME_LIMIT: "the box reached its time limit",
    StopCause.STOPPED: "a person stopped the run",
    StopCause.KILLED: "the host ended the box at once",
}
