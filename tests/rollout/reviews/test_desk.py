"""The unattended job: it may run late, twice, or be killed half-way, and each review has one packet."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from rollout.reviews.desk import Ran
from rollout.reviews.kinds import ReviewKind
from rollout.reviews.rows import ReviewError, listed
from runtime.alerts.rules import AlertRule
from tests.standins.deployed import deployed
from tests.standins.persons import Town
from tests.standins.reviewing import Reviewing
from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def reviewing(staffed: Town) -> Reviewing:
    return Reviewing(staffed)


def test_a_packet_is_printed_a_day_before_its_review_is_due(reviewing: Reviewing) -> None:
    """R-92: unattended, and in time to be closed in time."""
    obligation = reviewing.owed()

    assert reviewing.later(days=5, hours=23) == ()
    assert reviewing.later(hours=1) == (obligation,)
    assert reviewing.later(minutes=1) == ()
    assert reviewing.town.kinds().count("review.printed") == 1


def test_a_packet_that_nobody_closed_is_whole_once_its_review_is_due(reviewing: Reviewing) -> None:
    obligation = reviewing.owed()
    reviewing.later(days=6, hours=12)

    assert reviewing.later(hours=12) == (obligation,)
    shown = reviewing.desk.shown(obligation)
    assert shown is not None
    assert shown.packet.window.end == shown.packet.head.due_at
    assert reviewing.later(hours=1) == ()


def test_three_weeks_without_a_clock_print_each_missed_review_once(reviewing: Reviewing) -> None:
    """F3: all of them, late."""
    town = reviewing.town
    town.later(days=22)
    ran = reviewing.desk.run(town.now)
    again = reviewing.desk.run(town.now)

    assert len(ran.printed) == len(ran.overdue) == 3
    assert again == Ran((), (), (), ())
    assert town.count("packet") == 3
    late = [reviewing.desk.shown(id_) for id_ in ran.printed]
    assert [one.packet.head.late for one in late if one] == [False, True, True]


def test_a_job_that_was_killed_between_collecting_and_writing_leaves_nothing_half(
    reviewing: Reviewing,
) -> None:
    """F4: the next run prints it, once."""
    town = reviewing.town
    town.later(days=7)
    reviewing.desk.ledger.write_sync(reviewing.desk._step)
    reviewing.desk._collect(reviewing.owed(), town.now)  # and here it died

    assert town.count("packet") == 0
    assert len(reviewing.desk.run(town.now).printed) == 1
    assert town.count("packet") == 1


def test_a_new_deployment_owes_its_reviews_at_the_next_run(reviewing: Reviewing) -> None:
    """R-85."""
    deployed(reviewing.town, "other", image="sha256:bb")
    ran = reviewing.desk.run(reviewing.town.now)

    assert len(ran.owed) == len(set(ReviewKind) - {ReviewKind.CHANGE})
    assert ran.alarms == ()


def test_a_live_agent_for_which_nothing_is_owed_is_an_alarm_raised_once(reviewing: Reviewing) -> None:
    """R-85: somebody set the rows to closed, and no row is made again for a period that has one."""
    town = reviewing.town
    town.tamper("UPDATE obligation SET state = 'closed', followed = :yes", yes=True)
    (alarm,) = reviewing.desk.run(town.now).alarms
    town.later(minutes=1)

    assert reviewing.desk.run(town.now).alarms == ()
    rows = town.read(lambda conn: conn.execute(text("SELECT id, rule, count FROM alert")).all())
    assert [tuple(row) for row in rows] == [(alarm, AlertRule.UNWATCHED.value, 1)]


def test_a_packet_that_cannot_be_printed_stops_no_other(reviewing: Reviewing) -> None:
    town = reviewing.town
    other = deployed(town, "other", image="sha256:bb")
    reviewing.tick()
    town.later(days=6)
    town.tamper("UPDATE deployment SET profile_text = 'nonsense: [' WHERE agent = 'bot'")

    with pytest.raises(ReviewError, match="1 packets could not be printed: rev-"):
        reviewing.tick()
    printed = town.read(lambda conn: [row.deployment for row, made_at in listed(conn) if made_at])
    assert printed == [other]


def test_the_list_has_what_is_owed_first_due_first(reviewing: Reviewing) -> None:
    town = reviewing.town
    town.later(days=6)
    packet = reviewing.packet(reviewing.owed())
    reviewing.close(packet)
    owed = town.read(listed)
    everything = town.read(lambda conn: listed(conn, agent="bot", past=True))

    assert owed[0][0].kind == "periodic"
    assert sorted(row.kind for row, _ in owed[1:]) == ["evaluation", "specification"]
    assert [(row.state, made_at) for row, made_at in everything[:1]] == [("closed", packet.head.made_at)]
    assert town.read(lambda conn: listed(conn, agent="nobody")) == []
    assert owed[0][0].due_at == packet.head.due_at + timedelta(days=7)


def test_the_words_of_a_packet_stand_encrypted(reviewing: Reviewing) -> None:
    """R-48: nothing of it is in the database file."""
    town = reviewing.town
    town.later(days=6)
    reviewing.packet(reviewing.owed())
    town.ledger.checkpoint()
    planted = b"Is a metric optimised that nobody specified?"

    for file in town.settings.state_dir.glob("handrail.db*"):
        assert planted not in file.read_bytes()
