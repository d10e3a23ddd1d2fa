"""The boxes at the engine that nobody serves: those of this state directory that have ended, and are kept.

The reaper stops an agent's box whose time is up and leaves it there, without a process: the next `serve`
reads how it ended and what it wrote, and removes it. Where none comes, it stays. Read-only.
"""

from http.client import HTTPException
from json import dumps
from pathlib import Path
from urllib.parse import quote

from console.doctor.engine import ask
from console.doctor.finding import Finding, Level, good
from runtime.node import NODE_NAME
from sandboxes.labels import OWNER

_LIVE = frozenset({"running", "paused", "restarting"})


def examine_boxes(socket_path: Path, state_dir: Path, *, served: bool) -> list[Finding]:
    """Look at the boxes of a state directory; nothing where it has had none, or no engine answers.

    Args:
        socket_path: the engine's.
        state_dir: whose boxes.
        served: whether a `serve` runs on it, which looks after them itself.
    """
    try:
        node = (state_dir / NODE_NAME).read_text(encoding="ascii").strip()
        label = quote(dumps({"label": [f"{OWNER}={node}"]}))
        found = ask(socket_path, f"/containers/json?all=true&filters={label}")
        states = [str(one["State"]) for one in found]
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return []  # no node yet, or the engine's own check has said why it does not answer
    live = sum(state in _LIVE for state in states)
    ended, said = len(states) - live, f"{live} at the engine with a process"
    if served or not ended:
        return [good("boxes", said)]
    step = (
        "handrail serve, which records how they ended and removes them; if none will run here again: "
        f"docker rm $(docker ps -aq --filter label={OWNER}={node})"
    )
    return [Finding("boxes", Level.WARN, f"{said}, {ended} that have ended and wait for a serve", step)]
