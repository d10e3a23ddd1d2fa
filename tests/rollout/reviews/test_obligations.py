"""Obligations: rows with unique keys that the clock makes, however late, and what an overdue one does."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from profiles.effects import Effect
from profiles.policy import ReviewRules
from rollout.evidence.model import ReviewState
from rollout.reviews.kinds import ReviewKind
from rollout.reviews.obligations import Kept, follow, hold, keep, review_state, unwatched
from runtime.clock import new_id
from runtime.suspensions import Resumed, suspended
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.power import resume_by, suspensions_of
from tests.standins.towns import SVEN, staffed, town

__all__ = ["staffed", "town"]

RULES = ReviewRules()


def tick(town: Town) -> list[Kept]:
    """What the job of the clock does: steps until nothing is left."""

    def steps() -> Iterator[Kept]:
        while True:
            kept = town.write(lambda tx: keep(tx, rules=RULES, new_id=new_id))
            yield kept
            if kept.done:
                return

    return list(steps())


def rows(town: Town) -> list[tuple[str, str, bool]]:
    """Kind, state and lateness of every obligation, in the order in which they are due."""
    query = "SELECT kind, state, late FROM obligation ORDER BY due_at, kind"
    return town.read(lambda conn: [tuple(row) for row in conn.exec_driver_sql(query)])


def state(town: Town, deployment: str) -> ReviewState:
    return town.read(lambda conn: review_state(conn, deployment, roster=town.state.roster, now=town.now))


def without(town: Town, deployment: str) -> frozenset[Effect]:
    return town.read(lambda conn: suspended(conn, deployment, now=town.now, roster=town.state.roster))


def test_the_first_tick_owes_the_first_reviews_and_the_second_nothing_more(staffed: Town) -> None:
    """R-85, R-92."""
    deployment = deployed(staffed)
    tick(staffed)

    assert rows(staffed) == [
        ("periodic", "open", False),
        ("evaluation", "open", False),
        ("specification", "open", False),
    ]
    assert tick(staffed) == [Kept()]
    assert state(staffed, deployment) == ReviewState(
        overdue=(),
        next_due=staffed.now + timedelta(days=7),
        specification_due=staffed.now + timedelta(days=90),
    )


def test_three_weeks_without_a_clock_are_owed_late_one_by_one_and_suspend_writes(staffed: Town) -> None:
    """F3, F4: and a second tick changes nothing."""
    deployment = deployed(staffed)
    tick(staffed)
    staffed.later(days=22)
    tick(staffed)
    tick(staffed)

    periodic = [row for row in rows(staffed) if row[0] == ReviewKind.PERIODIC]
    assert periodic == [
        ("periodic", "overdue", False),
        ("periodic", "overdue", True),
        ("periodic", "overdue", True),
        ("periodic", "open", False),
    ]
    assert without(staffed, deployment) == frozenset(Effect) - {Effect.READ}
    assert len(state(staffed, deployment).overdue) == 3


def test_a_review_that_is_due_suspends_the_writes_of_its_deployment_only(staffed: Town) -> None:
    """R-35, R-42: overdue takes writes away until it is closed."""
    late, other = deployed(staffed, "late"), ""
    tick(staffed)
    staffed.later(days=6)
    other = deployed(staffed, "other", image="sha256:bb")
    staffed.later(days=1)
    tick(staffed)

    assert without(staffed, late)
    assert not without(staffed, other)


def test_a_replaced_deployment_owes_nothing_more(staffed: Town) -> None:
    old = deployed(staffed)
    tick(staffed)
    staffed.later(days=1)
    deployed(staffed, image="sha256:bb")
    staffed.later(days=100)
    tick(staffed)

    query = text("SELECT state FROM obligation WHERE deployment = :old")
    found = staffed.read(lambda conn: {row[0] for row in conn.execute(query, {"old": old})})
    assert found == {"void"}
    assert not without(staffed, old)


def test_the_next_period_stands_as_soon_as_one_is_closed_early(staffed: Town) -> None:
    """R-85: something is always owed."""
    deployed(staffed)
    tick(staffed)
    first = staffed.read(
        lambda conn: conn.exec_driver_sql("SELECT id FROM obligation WHERE kind = 'periodic'").scalar_one()
    )
    made = staffed.write(lambda tx: follow(tx, first, rules=RULES, new_id=new_id))
    again = staffed.write(lambda tx: follow(tx, first, rules=RULES, new_id=new_id))

    assert made is not None
    assert again is None
    staffed.later(days=8)
    tick(staffed)
    assert [row[0] for row in rows(staffed)].count("periodic") == 2


def test_an_agent_for_which_nothing_is_owed_is_found(staffed: Town) -> None:
    """R-85: a live agent without an open review obligation is itself an alarm."""
    deployment = deployed(staffed)
    assert staffed.read(unwatched) == ((deployment, "bot"),)
    tick(staffed)
    assert staffed.read(unwatched) == ()

    staffed.tamper("UPDATE obligation SET state = 'closed'")
    assert staffed.read(unwatched) == ((deployment, "bot"),)


def test_one_period_of_one_kind_is_owed_once(staffed: Town) -> None:
    """F4: the database itself refuses a second row."""
    deployed(staffed)
    tick(staffed)
    columns = "deployment, agent, kind, period_start, due_at, created_at, late, followed, state"

    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError), match="period_start"):
        staffed.tamper(f"INSERT INTO obligation (id, {columns}) SELECT 'again', {columns} FROM obligation")  # noqa: S608 fixed


def test_a_deployment_that_cannot_be_read_stops_no_other_and_is_an_alarm(staffed: Town) -> None:
    """R-85: one broken row is nobody else's missed review."""
    broken = deployed(staffed, "broken")
    deployed(staffed, "sound", image="sha256:bb")
    staffed.tamper("UPDATE deployment SET profile_text = 'no: profile' WHERE agent = 'broken'")
    tick(staffed)

    assert len(rows(staffed)) == 3
    assert staffed.read(unwatched) == ((broken, "broken"),)


def test_resuming_does_not_close_a_review(staffed: Town) -> None:
    """R-35: what is overdue suspends again at the next look, until it is closed."""
    deployment = deployed(staffed)
    tick(staffed)
    staffed.later(days=8)
    tick(staffed)
    (suspension,) = suspensions_of(staffed, deployment)
    assert isinstance(resume_by(staffed, SVEN, suspension.id), Resumed)
    assert not without(staffed, deployment)

    staffed.later(minutes=1)
    assert len(staffed.write(hold)) == 1
    assert without(staffed, deployment)
    assert staffed.write(hold) == ()
