"""Observed time: what heartbeats and activity add up to, and what nobody can add by hand."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from rollout.activity import active_days, intents, scan_activity
from rollout.monitor import GAP, Observed, Span, beat, credited, last_heartbeat, observed, spans
from runtime.record.events import Event, EventKind
from tests.standins.persons import START, Town
from tests.standins.towns import DEPLOYMENT

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


def watch(town: Town, span: timedelta, *, step: timedelta = MINUTE) -> None:
    """Let the monitor beat through a span of time, as the tick does."""
    for _ in range(span // step):
        town.write(lambda tx: beat(tx, tx.now))
        town.now += step
    town.write(lambda tx: beat(tx, tx.now))


def act(town: Town, *answers: str, deployment: str = DEPLOYMENT) -> None:
    """Let the deployment do something: an intent, or a decision with this answer."""
    for answer in answers:
        kind = EventKind.ACTION_INTENT if answer == "allow" else EventKind.ACTION_DECISION
        event = Event(kind=kind, at=town.now, deployment=deployment, subject="act-1", data={"answer": answer})
        town.write(partial(lambda tx, event: tx.append(event), event=event))


def seen(town: Town, since: datetime = START, deployment: str = DEPLOYMENT) -> Observed:
    return town.read(lambda conn: observed(conn, deployment, since, town.now))


def test_an_hour_of_heartbeats_on_a_day_of_activity_is_an_hour(town: Town) -> None:
    act(town, "suggest")
    watch(town, timedelta(hours=1))
    scan_activity(town.ledger)
    assert seen(town) == Observed(3600.0, 1, 3600.0)
    assert town.read(lambda conn: last_heartbeat(conn, now=town.now)) == town.now


def test_silence_earns_nothing(town: Town) -> None:
    """F14: the monitor was there and the agent did nothing."""
    watch(town, timedelta(hours=2))
    act(town, "allow", deployment="other")
    scan_activity(town.ledger)
    assert seen(town) == Observed(0.0, 0, 7200.0)
    assert seen(town, deployment="other").active_days == 1


def test_only_the_active_day_counts(town: Town) -> None:
    """F14: from 09:00 to 09:00 of the next day, with activity on the first day only: 15 hours."""
    act(town, "hold")
    watch(town, DAY, step=4 * MINUTE)
    scan_activity(town.ledger)
    assert seen(town).seconds == 15 * 3600.0


@pytest.mark.parametrize("jump", [GAP + timedelta(seconds=1), timedelta(hours=9), 14 * DAY])
def test_a_gap_earns_nothing(town: Town, jump: timedelta) -> None:
    """F1: the clock jumps, or nobody kept it; at most five minutes of a gap are credited."""
    act(town, "suggest")
    watch(town, 10 * MINUTE)
    town.now += jump
    act(town, "suggest")
    watch(town, 10 * MINUTE)
    scan_activity(town.ledger)
    assert seen(town).seconds == 1200.0
    assert town.count("heartbeat_span") == 2


def test_a_gap_of_five_minutes_is_credited(town: Town) -> None:
    """F1: what a slow tick or a change of leaders takes."""
    act(town, "suggest")
    watch(town, 10 * MINUTE, step=GAP)
    scan_activity(town.ledger)
    assert seen(town).seconds == 600.0


def test_a_clock_that_went_back_adds_nothing(town: Town) -> None:
    """F2: the same time is not observed twice."""
    act(town, "suggest")
    watch(town, timedelta(hours=1))
    town.now -= timedelta(minutes=50)
    watch(town, timedelta(minutes=50))
    scan_activity(town.ledger)
    assert seen(town).seconds == 3600.0


def test_the_window_cuts_off_what_came_before(town: Town) -> None:
    """F13: re-entry begins a new window."""
    act(town, "suggest")
    watch(town, timedelta(hours=3), step=4 * MINUTE)
    scan_activity(town.ledger)
    assert seen(town, since=START + timedelta(hours=2)).seconds == 3600.0
    assert seen(town, since=START + timedelta(hours=5)).seconds == 0.0


def test_heartbeats_inserted_by_hand_count_nothing(town: Town) -> None:
    """Someone with a database shell: what the record does not know was not observed."""
    act(town, "suggest")
    watch(town, 10 * MINUTE)
    scan_activity(town.ledger)
    row = {"began": "2026-11-21T00:00:00.000000Z", "last": "2026-11-21T08:59:00.000000Z"}
    town.tamper("INSERT INTO heartbeat_span (began_at, last_at) VALUES (:began, :last)", **row)
    assert seen(town, since=START - DAY).seconds == 600.0


def test_a_span_made_longer_by_hand_gains_an_hour_at_most(town: Town) -> None:
    act(town, "suggest")
    watch(town, 10 * MINUTE)
    scan_activity(town.ledger)
    town.tamper("UPDATE heartbeat_span SET last_at = :last", last="2026-11-21T23:00:00.000000Z")
    town.now = datetime(2026, 11, 21, 23, tzinfo=UTC)
    assert seen(town).seconds == 65 * 60.0


def test_a_span_whose_row_was_deleted_counts_as_far_as_the_record_knows(town: Town) -> None:
    act(town, "suggest")
    watch(town, timedelta(hours=2))
    scan_activity(town.ledger)
    town.tamper("DELETE FROM heartbeat_span")
    assert 6600.0 <= seen(town).seconds <= 7200.0


def test_a_day_of_activity_inserted_by_hand_counts_nothing(town: Town) -> None:
    """F14: a row must name an entry of this deployment, of that day, of an action."""
    act(town, "suggest")
    act(town, "allow", deployment="other")
    watch(town, DAY, step=4 * MINUTE)
    scan_activity(town.ledger)
    insert = (
        "INSERT INTO activity_day (deployment, day, intents, denied, held, suggested, proof) "
        "VALUES (:deployment, :day, 9, 9, 9, 9, :proof)"
    )
    town.tamper(insert, deployment=DEPLOYMENT, day="2026-11-22", proof=_seq(town, DEPLOYMENT))
    town.tamper(insert, deployment="third", day="2026-11-21", proof=_seq(town, "other"))
    town.tamper(insert, deployment="fourth", day="2026-11-21", proof=0)
    assert seen(town).active_days == 1
    assert seen(town, deployment="third").seconds == 0.0
    assert seen(town, deployment="fourth").seconds == 0.0


def _seq(town: Town, deployment: str) -> int:
    query = "SELECT max(seq) FROM log_entry WHERE deployment = :name"
    return int(town.read(lambda conn: conn.execute(text(query), {"name": deployment}).scalar_one()))


# --- the scan


def test_the_scan_counts_every_answer_once(town: Town) -> None:
    act(town, "allow", "allow", "deny", "hold", "suggest", "suggest", "suggest")
    assert scan_activity(town.ledger) > 0
    assert scan_activity(town.ledger) == 0
    act(town, "allow", "deny")
    scan_activity(town.ledger)
    query = "SELECT intents, denied, held, suggested FROM activity_day"
    assert town.read(lambda conn: conn.exec_driver_sql(query).all()) == [(3, 2, 1, 3)]
    assert town.read(lambda conn: intents(conn, DEPLOYMENT, START, town.now)) == 3


def test_the_scan_stops_and_goes_on(town: Town) -> None:
    """F3: after a long downtime a tick stays short; the next ones catch up."""
    act(town, *["allow"] * 30)
    before = scan_activity(town.ledger, most=1)
    assert before > 0
    scan_activity(town.ledger)
    assert town.read(lambda conn: intents(conn, DEPLOYMENT, START, town.now)) == 30


def test_days_are_utc(town: Town) -> None:
    """F24: one second before and one after midnight are two days, whatever the organisation's zone."""
    for moment in (MIDNIGHT - timedelta(seconds=1), MIDNIGHT + timedelta(seconds=1)):
        town.now = moment
        act(town, "allow")
    scan_activity(town.ledger)
    days = town.read(lambda conn: active_days(conn, DEPLOYMENT, START, town.now))
    assert days == {date(2026, 11, 21), date(2026, 11, 22)}


# --- the sum


def test_time_is_credited_day_by_day() -> None:
    """F24: no day is longer than 24 hours, and a leap day is a day."""
    leap = datetime(2028, 2, 28, 12, tzinfo=UTC)
    found = (Span(leap, leap + 3 * DAY),)
    everything = {leap.date() + n * DAY for n in range(4)}
    assert credited(found, everything, since=leap, until=leap + 9 * DAY) == 3 * 86400.0
    assert credited(found, {date(2028, 2, 29)}, since=leap, until=leap + 9 * DAY) == 86400.0
    assert credited(found, {date(2028, 3, 9)}, since=leap, until=leap + 9 * DAY) == 0.0


def test_spans_that_overlap_are_counted_once(town: Town) -> None:
    """Two processes may both have begun one."""
    watch(town, 10 * MINUTE)
    began = town.now - 5 * MINUTE
    town.write(
        lambda tx: tx.append(
            Event(
                kind=EventKind.MONITOR_OBSERVED,
                at=tx.now,
                subject=began.isoformat().replace("+00:00", ".000000Z"),
            )
        )
    )
    found = town.read(lambda conn: spans(conn, None))
    assert sum((span.last_at - span.began_at).total_seconds() for span in found) == 600.0
