"""Lapses: outdated rules at the day's end, and actions that nobody watched."""

from profiles.effects import Effect
from rollout.demotions.falls import Fall
from rollout.demotions.lapses import end_of_day, look_for_gaps, tell_of_clock
from rollout.monitor import beat
from rollout.transitions import matter_of_outdated, outdate
from runtime.demotion import DemotionCause
from runtime.grants import Issued
from runtime.record.events import Event, EventKind
from runtime.suspensions import Resumed
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Town
from tests.standins.power import resume_by
from tests.standins.towns import DORA, ROSA, SVEN, allowed, grant, order, staffed, town

__all__ = ["staffed", "town"]


def drafting(town: Town, agent: str = "bot") -> str:
    """Deploy an agent that may draft."""
    digest = deployed(town, agent)
    asked = order(town, Effect.DRAFT, deployment=digest, owner=OWNER, days=30)
    assert isinstance(grant(town, asked, ROSA), Issued)
    return digest


def say_outdated(town: Town, deployment: str) -> None:
    signed = town.signed(DORA, matter_of_outdated("bot", deployment, "new prices"))
    town.write(
        lambda tx: outdate(
            tx, "bot", deployment, "new prices", signed, roster=town.state.roster, now=town.now
        )
    )


def night(town: Town) -> tuple[Fall, ...]:
    return town.write(lambda tx: end_of_day(tx, policy=town.state.roster.policy))


def alerts(town: Town) -> list[tuple[str, int]]:
    return town.read(
        lambda conn: [tuple(row) for row in conn.exec_driver_sql("SELECT rule, count FROM alert")]
    )


def test_rules_that_nobody_renewed_by_midnight_cost_every_write_and_raise_one_alert(staffed: Town) -> None:
    """R-37."""
    deployment = drafting(staffed)
    say_outdated(staffed, deployment)

    assert night(staffed) == ()
    staffed.later(hours=16)
    (fall,) = night(staffed)
    assert (fall.deployment, int(fall.to), fall.cause) == (deployment, 0, DemotionCause.OUTDATED)
    assert night(staffed) == ()
    assert alerts(staffed) == [("outdated", 1)]
    assert allowed(staffed, deployment) == {Effect.READ}


def test_a_new_deployment_before_midnight_is_all_that_was_asked_for(staffed: Town) -> None:
    """R-37, R-38."""
    say_outdated(staffed, drafting(staffed))
    staffed.later(hours=1)
    deployed(staffed, image="sha256:bb")
    staffed.later(days=1)

    assert night(staffed) == ()
    assert alerts(staffed) == []


def watch(town: Town) -> None:
    """Let the monitor give a sign of life."""
    town.write(lambda tx: beat(tx, tx.now))


def gaps(town: Town) -> tuple[str, ...]:
    return town.write(lambda tx: look_for_gaps(tx, policy=town.state.roster.policy))


def act(town: Town, deployment: str) -> None:
    """Write an intent, as the gate does before an effect."""
    event = Event(
        kind=EventKind.ACTION_INTENT, at=town.now, agent="bot", deployment=deployment, subject="act-1"
    )
    town.write(lambda tx: tx.append(event))


def test_actions_that_nobody_watched_suspend_the_writes_of_all_once(staffed: Town) -> None:
    """F1, F18."""
    deployment, other = drafting(staffed), drafting(staffed, "other")
    watch(staffed)
    staffed.later(hours=1)
    act(staffed, deployment)
    staffed.later(hours=2)
    watch(staffed)

    assert len(gaps(staffed)) == 1
    assert gaps(staffed) == ()
    assert allowed(staffed, deployment) == allowed(staffed, other) == {Effect.READ}
    assert alerts(staffed) == [("heartbeat", 1)]


def test_a_gap_in_which_nothing_acted_takes_nothing(staffed: Town) -> None:
    deployment = drafting(staffed)
    watch(staffed)
    staffed.later(days=3)
    watch(staffed)

    assert gaps(staffed) == ()
    assert allowed(staffed, deployment) == {Effect.READ, Effect.DRAFT}


def test_a_gap_that_was_told_of_does_not_come_again_after_a_resume(staffed: Town) -> None:
    """One outage is one cause, also where it is barely longer than the policy permits."""
    deployment = drafting(staffed)
    strict = staffed.state.roster.policy
    strict = strict.model_copy(update={"alerts": strict.alerts.model_copy(update={"heartbeat_hours": 1})})
    watch(staffed)
    staffed.later(minutes=30)
    act(staffed, deployment)
    staffed.later(minutes=32)
    watch(staffed)

    def look() -> tuple[str, ...]:
        return staffed.write(lambda tx: look_for_gaps(tx, policy=strict))

    (suspension,) = look()
    assert isinstance(resume_by(staffed, SVEN, suspension), Resumed)
    staffed.later(minutes=1)
    watch(staffed)
    assert look() == ()
    assert allowed(staffed, deployment) == {Effect.READ, Effect.DRAFT}


def test_a_step_of_the_clock_is_an_alert_once(staffed: Town) -> None:
    """F2: people hear of what suspended their agents."""
    event = Event(kind=EventKind.CLOCK_ANOMALY, at=staffed.now, actor="record")
    staffed.write(lambda tx: tx.append(event))
    policy = staffed.state.roster.policy

    assert staffed.write(lambda tx: tell_of_clock(tx, policy=policy)) == 1
    assert staffed.write(lambda tx: tell_of_clock(tx, policy=policy)) == 0
    assert alerts(staffed) == [("clock-anomaly", 1)]
