"""Following a run to its end. It goes on without the control plane, so the two ends are told apart."""

import time
from collections.abc import Callable
from typing import Final

from console.client import Client, Json
from console.errors import ConsoleError, ProblemError, RunLeftError

_ENDED: Final = "ended"
_BEGINNING: Final = "requested"
_LOOK_SECONDS: Final = 0.25


def follow_run(client: Client, run: str, tell: Callable[[Json], None]) -> Json:
    """Hand over each line that the agent writes, and return the run as it ended.

    Args:
        client: of the control plane that the run began at.
        run: its id.
        tell: takes one line of the output.

    Raises:
        RunLeftError: the control plane stopped or broke off before the run's end was known.
        ProblemError: it refused.
    """
    try:
        _seen(client, run, lambda state: state != _BEGINNING)
        for item in client.stream("runs", run, "logs", follow=True):
            tell(item)
        return _seen(client, run, lambda state: state == _ENDED)
    except ProblemError:
        raise
    except ConsoleError as error:
        raise RunLeftError(run) from error


def _seen(client: Client, run: str, enough: Callable[[str], bool]) -> Json:
    """Return a run once it has come far enough."""
    while True:
        found: Json = client.get("runs", run)["run"]
        if enough(found["state"]):
            return found
        time.sleep(_LOOK_SECONDS)
