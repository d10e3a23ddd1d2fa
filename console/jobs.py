"""What is owed at every tick. Each job is idempotent: late, twice or not at all, nothing is wrong."""

from datetime import datetime

from console.kernel import Kernel
from rollout.scheduler import Job
from runtime.runs import store
from sandboxes.reaper import start_reaper, sweep

_REAPER_LOCK = "reaper.lock"


def owed(kernel: Kernel) -> tuple[Job, ...]:
    """Return the jobs of one tick, in order."""
    return (
        Job("end overdue boxes", lambda now: _sweep(kernel, now)),
        Job("keep a reaper", lambda _now: keep_reaper(kernel)),
        Job("checkpoint", lambda _now: _checkpoint(kernel)),
    )


def keep_reaper(kernel: Kernel) -> None:
    """See to it that something outside this process ends the boxes in time, while there are any."""
    with kernel.ledger.read() as connection:
        live = store.unfinished(connection)
    if live:
        settings = kernel.ground.settings
        lock = settings.state_dir / _REAPER_LOCK
        start_reaper(kernel.owner, lock, engine=f"unix://{settings.docker_socket}")


def _sweep(kernel: Kernel, now: datetime) -> None:
    sweep(kernel.driver, kernel.owner, now=now)


def _checkpoint(kernel: Kernel) -> None:
    kernel.ledger.checkpoint()
