"""Threat: the clock steps back, which would revive what has ended (F2)."""

from datetime import timedelta

import pytest

from profiles.effects import Effect
from runtime.clock import new_id
from runtime.deployments import newest
from runtime.freeze import standing_stops
from runtime.freeze_rules import Scope, Stop
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import Resumed
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.power import granted_draft, resume_by, suspensions_of
from tests.standins.towns import ROSA, SVEN, allowed, set_freeze, staffed, stop_of, town

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


@pytest.mark.parametrize(("hours", "stands"), [(1, False), (24 * 20, True)])
def test_a_freeze_that_the_records_clock_calls_over_is_refused_and_not_shown_as_standing(
    staffed: Town, hours: float, *, stands: bool
) -> None:
    """F2: after a jump of two weeks and back, an hour from now is long ago for every reader."""
    staffed.later(days=14)
    _said(staffed)
    mark = staffed.now
    staffed.now -= timedelta(days=14)
    answer = set_freeze(staffed, stop_of(Scope.ALL, "all", staffed, days=hours / 24), SVEN)
    found = staffed.read(lambda conn: standing_stops(conn, now=mark, roster=staffed.state.roster))

    assert isinstance(answer, Stop) is stands
    assert bool(found) is stands


def test_a_deployment_made_by_a_clock_that_is_behind_is_the_present_one(staffed: Town) -> None:
    """F2, R-40: two nodes, or a step back; else the one that lost its writes would stay the present one."""
    deployed(staffed)
    staffed.now -= timedelta(minutes=5)
    second = deployed(staffed, image="sha256:bb")

    assert staffed.read(lambda conn: newest(conn, "bot").digest) == second
