"""The clock that makes owed work happen."""

import sqlite3
import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import OperationalError

from rollout.scheduler import Job, JobFault, Scheduler

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WAIT_SECONDS = 20


def _scheduler(jobs: list[Job], faults: list[JobFault], tick_seconds: float = 3600) -> Scheduler:
    return Scheduler(jobs, clock=lambda: NOON, on_fault=faults.append, tick_seconds=tick_seconds)


def test_a_tick_runs_every_job_in_order_at_one_moment() -> None:
    seen: list[tuple[str, datetime]] = []
    jobs = [Job(name, lambda now, name=name: seen.append((name, now))) for name in ("expire", "sweep")]

    _scheduler(jobs, []).tick()

    assert seen == [("expire", NOON), ("sweep", NOON)]


def test_a_broken_job_is_reported_and_stops_no_other() -> None:
    def broken(now: datetime) -> None:
        raise ValueError(f"bad row at {now.hour}")

    seen: list[datetime] = []
    faults: list[JobFault] = []

    _scheduler([Job("expire", broken), Job("sweep", seen.append)], faults).tick()

    assert seen == [NOON]
    assert faults == [JobFault("expire", NOON, "ValueError: bad row at 12")]


def test_a_job_that_fails_at_the_database_is_reported_in_the_driver_s_words_without_its_statement() -> None:
    def broken(_now: datetime) -> None:
        raise OperationalError("SELECT secret FROM shelf", {}, sqlite3.OperationalError("disk I/O error"))

    faults: list[JobFault] = []

    _scheduler([Job("expire", broken)], faults).tick()

    assert faults == [JobFault("expire", NOON, "OperationalError: disk I/O error")]


def test_a_started_scheduler_ticks_and_a_stopped_one_does_not() -> None:
    ticked = threading.Event()
    scheduler = _scheduler([Job("beat", lambda _now: ticked.set())], [], tick_seconds=0.05)

    scheduler.start()
    assert ticked.wait(WAIT_SECONDS)
    scheduler.stop()
    ticked.clear()

    assert not ticked.wait(0.3)


def test_a_tick_that_comes_while_the_last_one_runs_is_skipped_and_reported() -> None:
    """No two ticks at once: a slow job must not run beside itself."""
    free = threading.Event()
    missed = threading.Event()
    running: list[int] = []

    def slow(_now: datetime) -> None:
        running.append(1)
        free.wait(WAIT_SECONDS)

    faults: list[JobFault] = []

    def hear(fault: JobFault) -> None:
        faults.append(fault)
        missed.set()

    scheduler = Scheduler([Job("slow", slow)], clock=lambda: NOON, on_fault=hear, tick_seconds=0.05)
    scheduler.start()
    assert missed.wait(WAIT_SECONDS)
    at_once = len(running)
    free.set()
    scheduler.stop()

    assert at_once == 1
    assert "missed" in faults[0].error


@pytest.mark.parametrize(
    "moment", [datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)]
)
def test_the_moment_is_the_clock_s_own_and_in_utc(moment: datetime) -> None:
    """F24: summer time and leap days are ordinary moments."""
    seen: list[datetime] = []

    Scheduler([Job("beat", seen.append)], clock=lambda: moment, on_fault=lambda _fault: None).tick()

    assert seen == [moment]
    assert seen[0].tzinfo is UTC
