"""The clock that makes owed work happen: one tick a minute, APScheduler behind it and nowhere else.

It is a clock only. What is owed stands in rows with unique keys, so a job may run twice, late or never
and the result is the same; a dead clock can only let grants run out, never give any. Hence the memory store,
UTC, no misfire limit, ticks that were missed run once, and no two ticks at the same time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.events import (
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.schedulers.background import BackgroundScheduler

from runtime.db import words_of

TICK_SECONDS = 60


@dataclass(frozen=True)
class Job:
    """One piece of work for every tick.

    Attributes:
        name: what it is called in a report.
        run: does what is owed at the moment it is given; idempotent, and called from the scheduler's thread.
    """

    name: str
    run: Callable[[datetime], None]


@dataclass(frozen=True)
class JobFault:
    """A job that failed, or a tick that did not happen; it goes to the record, never to waste."""

    job: str
    at: datetime
    error: str


class Scheduler:
    """Runs every job once a tick, each whatever the others did."""

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        clock: Callable[[], datetime],
        on_fault: Callable[[JobFault], None],
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        """Prepare a scheduler; nothing runs before `start`.

        Args:
            jobs: the work of a tick, in order.
            clock: tells the present moment, aware UTC; read once a tick.
            on_fault: hears of every job that failed and every tick that was missed or skipped.
            tick_seconds: seconds between two ticks.
        """
        self._jobs = tuple(jobs)
        self._clock = clock
        self._on_fault = on_fault
        self._tick_seconds = tick_seconds
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )
        self._scheduler.add_job(self.tick, "interval", seconds=tick_seconds, id="tick", name="tick")
        self._scheduler.add_listener(self._missed, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Begin to tick; the first tick comes at once: what was owed meanwhile waits no longer."""
        self._scheduler.start()
        first = self._scheduler.get_job("tick").next_run_time - timedelta(seconds=self._tick_seconds)
        self._scheduler.modify_job("tick", next_run_time=first)

    def stop(self) -> None:
        """End, after the tick that is under way."""
        self._scheduler.shutdown(wait=True)

    def tick(self) -> None:
        """Run every job once, now."""
        now = self._clock()
        for job in self._jobs:
            self._run(job, now)

    def _run(self, job: Job, now: datetime) -> None:
        try:
            job.run(now)
        except Exception as error:  # noqa: BLE001 - one broken job must not stop the others; it is reported
            self._on_fault(JobFault(job.name, now, f"{type(error).__name__}: {words_of(error)}"))

    def _missed(self, event: JobExecutionEvent | JobSubmissionEvent) -> None:
        self._on_fault(JobFault(event.job_id, self._clock(), "a tick was missed: the one before still runs"))
