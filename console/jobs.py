"""What is owed at every tick. Each job is idempotent: late, twice or not at all, nothing is wrong."""

from datetime import datetime

from console.kernel import Kernel
from rollout.clockwork import Clockwork, wind_up
from rollout.scheduler import Job
from runtime.clock import new_id, random_bytes
from runtime.context.proofs import code_of
from sandboxes.reaper import sweep


def clockwork(kernel: Kernel) -> Clockwork:
    """Compose what the clock does about the rollout; one for each process."""
    return wind_up(
        kernel.ledger,
        kernel.policies,
        audit=kernel.audit,
        new_id=new_id,
        random=random_bytes,
        engine=kernel.engine.last,
        code=code_of(kernel.ground.rules.digest),
    )


def owed(kernel: Kernel, work: Clockwork) -> tuple[Job, ...]:
    """Return the jobs of one tick, in order. Holds have a sweeper of their own, since they last minutes.

    What each process owes by itself comes first; the rest is done by whoever keeps the clock of the record.
    """
    return (
        Job("end overdue boxes", lambda now: _sweep(kernel, now)),
        Job("checkpoint", lambda _now: _checkpoint(kernel)),
        Job("remember the policy", lambda _now: _remember(kernel)),
        Job("ask the engine", lambda _now: _ask_engine(kernel)),
        *work.jobs(),
    )


def _sweep(kernel: Kernel, now: datetime) -> None:
    sweep(kernel.driver, kernel.owner, now=now)


def _checkpoint(kernel: Kernel) -> None:
    kernel.ledger.checkpoint()


def _remember(kernel: Kernel) -> None:
    """Pin the policy in force here, also when another node changed it."""
    with kernel.ledger.read() as connection:
        kernel.policies.remember(connection)


def _ask_engine(kernel: Kernel) -> None:
    """Remember the engine's version for what looks at proofs and may not ask itself."""
    kernel.engine.now()
