"""What is owed at every tick. Each job is idempotent: late, twice or not at all, nothing is wrong."""

from datetime import datetime

from console.kernel import Kernel
from rollout.scheduler import Job
from sandboxes.reaper import sweep


def owed(kernel: Kernel) -> tuple[Job, ...]:
    """Return the jobs of one tick, in order. Holds have a sweeper of their own, since they last minutes."""
    return (
        Job("end overdue boxes", lambda now: _sweep(kernel, now)),
        Job("checkpoint", lambda _now: _checkpoint(kernel)),
    )


def _sweep(kernel: Kernel, now: datetime) -> None:
    sweep(kernel.driver, kernel.owner, now=now)


def _checkpoint(kernel: Kernel) -> None:
    kernel.ledger.checkpoint()
