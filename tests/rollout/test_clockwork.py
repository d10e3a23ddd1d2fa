"""The clock's work: one order, under one fence, and the same however often it is done."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from rollout.auditing import AuditWatch
from rollout.clockwork import Clockwork, wind_up
from rollout.scheduler import JobFault, Scheduler
from runtime import leader
from runtime.clock import new_id, random_bytes
from runtime.leader import StaleFenceError
from runtime.record.verify import verify_state
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.towns import allowed, staffed, town

__all__ = ["staffed", "town"]


def clockwork(town: Town) -> Clockwork:
    return wind_up(
        town.ledger,
        town.book,
        audit=AuditWatch(lambda: verify_state(town.settings)),
        new_id=new_id,
        random=random_bytes,
    )


def tick(town: Town, work: Clockwork) -> list[JobFault]:
    faults: list[JobFault] = []
    Scheduler(work.jobs(), clock=lambda: town.now, on_fault=faults.append).tick()
    return faults


def obligations(town: Town) -> int:
    return town.count("obligation")


def test_a_tick_does_what_is_owed_and_a_second_one_nothing_more(staffed: Town) -> None:
    """R-85, R-92."""
    deployed(staffed)
    staffed.ledger.checkpoint()
    work = clockwork(staffed)

    assert tick(staffed, work) == []
    entries = staffed.count("log_entry")
    assert obligations(staffed) == 3
    assert tick(staffed, work) == []
    assert (obligations(staffed), staffed.count("log_entry")) == (3, entries)


def test_a_month_of_silence_is_owed_late_and_power_is_gone(staffed: Town) -> None:
    """F3: the scheduler was down for three weeks."""
    deployment = deployed(staffed, days=9)
    staffed.ledger.checkpoint()
    work = clockwork(staffed)
    tick(staffed, work)
    staffed.later(days=22)
    assert tick(staffed, work) == []

    late = staffed.read(
        lambda conn: conn.exec_driver_sql("SELECT count(*) FROM obligation WHERE late").scalar()
    )
    assert late == 2
    assert staffed.count("packet") == 3
    assert allowed(staffed, deployment) == set()
    assert Effect.READ not in allowed(staffed, deployment)


def test_only_one_of_two_processes_does_the_work_of_the_clock(staffed: Town) -> None:
    first, second = clockwork(staffed), clockwork(staffed)
    tick(staffed, first)
    tick(staffed, second)
    assert second.lease.fence is None

    staffed.later(minutes=10)
    tick(staffed, second)
    assert second.lease.fence == 2
    assert first.lease.fence == 1


def test_a_leader_that_was_stopped_half_way_writes_nothing_after_another_took_over(staffed: Town) -> None:
    """DESIGN section 4: leader by a row lease with a fencing token."""
    first, second = clockwork(staffed), clockwork(staffed)
    tick(staffed, first)
    staffed.later(minutes=10)
    tick(staffed, second)
    deployed(staffed)
    beat, _, *others = first.jobs()[1:]

    for job in (beat, others[2]):
        with pytest.raises(StaleFenceError):
            job.run(staffed.now)
    assert obligations(staffed) == 0


def test_a_process_that_ends_gives_the_clock_back_at_once(staffed: Town) -> None:
    first, second = clockwork(staffed), clockwork(staffed)
    tick(staffed, first)
    first.give_back(staffed.now)
    staffed.later(seconds=1)
    tick(staffed, second)

    assert second.lease.fence == 2


def test_the_fence_stands_in_front_of_every_unit_that_a_job_submits(staffed: Town) -> None:
    staffed.write(lambda tx: leader.take(tx, "one", tx.now))
    staffed.later(minutes=10)
    staffed.write(lambda tx: leader.take(tx, "two", tx.now))

    with staffed.ledger.guarded(lambda tx: leader.check(tx, 1)):
        waits = staffed.ledger.submit(lambda tx: tx.now)
        with pytest.raises(StaleFenceError):
            waits.result(timedelta(seconds=5).total_seconds())
    assert staffed.write(lambda tx: tx.now) == staffed.now
