"""What the engine keeps beside a box so that its handle can be rebuilt after a restart. Pure.

Labels are seen by the host alone; nothing inside a box can read them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sandboxes.driver import Box
from sandboxes.spec import BoxSpec, Runtime

PREFIX = "handrail."
OWNER, EXPIRES, USER = f"{PREFIX}owner", f"{PREFIX}expires", f"{PREFIX}user"
GATED, RUNTIME = f"{PREFIX}gated", f"{PREFIX}runtime"
_CUSTOM = f"{PREFIX}x."
PART, AGENT = "part", "agent"
"""The custom label that says what a box is for, and its value for the box of a run's agent."""


def labels_of(spec: BoxSpec, *, owner: str, now: datetime) -> dict[str, str]:
    """Return the labels of a box about to be made; it expires its wall seconds after `now`."""
    expires_at = now + timedelta(seconds=spec.limits.wall_seconds)
    ours = {
        OWNER: owner,
        EXPIRES: expires_at.isoformat(),
        USER: spec.user,
        GATED: "yes" if spec.gated else "no",
        RUNTIME: spec.runtime.value,
    }
    return ours | {f"{_CUSTOM}{name}": value for name, value in spec.labels.items()}


def is_agents(box: Box) -> bool:
    """Tell whether an agent runs in a box, whose ending is of interest, or something that serves it."""
    return box.labels.get(PART) == AGENT


def box_from(box_id: str, image: str, labels: Mapping[str, str]) -> Box:
    """Rebuild a handle from what the engine lists.

    Raises:
        KeyError: the container carries no labels of ours.
        ValueError: a label is not one we wrote.
    """
    custom = {key.removeprefix(_CUSTOM): value for key, value in labels.items() if key.startswith(_CUSTOM)}
    return Box(
        id=box_id,
        owner=labels[OWNER],
        image=image,
        runtime=Runtime(labels[RUNTIME]),
        user=labels[USER],
        gated=labels[GATED] == "yes",
        expires_at=datetime.fromisoformat(labels[EXPIRES]),
        labels=MappingProxyType(custom),
    )
