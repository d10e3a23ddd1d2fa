"""Threat: the clock steps back, which would revive what has ended (F2)."""

from datetime import timedelta

from profiles.effects import Effect
from runtime.clock import new_id
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import Resumed
from tests.standins.persons import Town
from tests.standins.power import granted_draft, resume_by, suspensions_of
from tests.standins.towns import ROSA, allowed, staffed, town

__all__ = ["staffed", "town"]


def _said(town: Town) -> int:
    return town.write(
        lambda tx: tx.append(Event(kind=EventKind.SERVE_STARTED, at=tx.now, subject=new_id("serve")))
    )


def test_a_step_back_suspends_every_write_of_every_deployment_in_that_very_transaction(
    staffed: Town,
) -> None:
    """F2."""
    granted_draft(staffed)
    staffed.later(hours=3)
    _said(staffed)
    staffed.now -= timedelta(hours=2)

    def unit(tx: Tx) -> int:
        return len(tx.conn.exec_driver_sql("SELECT id FROM suspension").all())

    assert staffed.write(unit) == 1
    assert allowed(staffed) == {Effect.READ}
    (found,) = suspensions_of(staffed, "d9" * 32)
    assert found.code == SuspensionCode.CLOCK
    assert staffed.kinds()[-2:] == ["clock.anomaly", "writes.suspended"]


def test_it_lasts_when_the_clock_is_right_again_and_when_its_row_is_gone(staffed: Town) -> None:
    granted_draft(staffed)
    staffed.later(hours=3)
    _said(staffed)
    staffed.now -= timedelta(hours=2)
    _said(staffed)
    staffed.now += timedelta(hours=5)

    staffed.tamper("DELETE FROM suspension")

    assert allowed(staffed) == {Effect.READ}
    (found,) = suspensions_of(staffed)
    assert isinstance(resume_by(staffed, ROSA, found.id), Resumed)
    assert allowed(staffed) == {Effect.READ, Effect.DRAFT}


def test_the_clock_of_another_node_a_moment_behind_suspends_nothing(staffed: Town) -> None:
    granted_draft(staffed)
    staffed.now -= timedelta(seconds=1)
    _said(staffed)
    staffed.now += timedelta(seconds=1)

    assert allowed(staffed) == {Effect.READ, Effect.DRAFT}
