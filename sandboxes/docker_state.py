"""The engine's answer about a container as a `BoxState`. Pure."""

from collections.abc import Mapping
from typing import Any

from sandboxes.driver import BoxState, Phase

_PHASES = {
    "created": Phase.CREATED,
    "running": Phase.RUNNING,
    "restarting": Phase.RUNNING,
    "paused": Phase.PAUSED,
    "removing": Phase.EXITED,
    "exited": Phase.EXITED,
    "dead": Phase.EXITED,
}


def state_from(answer: Mapping[str, Any]) -> BoxState:
    """Read a container's inspect answer.

    Args:
        answer: Docker Engine API 1.41, "Inspect a container".

    Raises:
        KeyError: the engine named a status we do not know, or left out its state.
    """
    state = answer["State"]
    phase = _PHASES[state["Status"]]
    return BoxState(
        phase=phase,
        pid=int(state["Pid"]) if phase is Phase.RUNNING else 0,
        exit_code=int(state["ExitCode"]) if phase is Phase.EXITED else None,
        oom_killed=bool(state["OOMKilled"]),
        error=str(state["Error"]),
        started_at=str(state["StartedAt"]),
        detail=answer,
        finished_at=str(state["FinishedAt"]) if phase is Phase.EXITED else "",
    )
