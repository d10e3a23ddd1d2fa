"""Threat: power that another deployment only took the place of comes back, though a cause was found since."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from profiles.effects import Effect, Tier
from rollout.auditing import stop_all
from rollout.demotions.falls import Fall, look
from rollout.evidence.model import AuditState
from rollout.promotions.applying import Applied
from rollout.transitions import Return, plan_return
from runtime.alerts.rules import AlertRule
from runtime.clock import new_id
from runtime.demotion import DemotionCause, drop
from runtime.freeze_rules import Freeze, Scope
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.kill import Killed, kill
from runtime.people.revocation import Revoked, matter_to_revoke, revoke_keys
from runtime.people.roster import Refused
from tests.standins.alarms import deviation, raise_in
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Town
from tests.standins.power import restore_by, restored
from tests.standins.promoting import AGENT, Stage
from tests.standins.towns import OLGA, ROSA, SVEN, allowed, grant, order, staffed, town

__all__ = ["staffed", "town"]

READ, DRAFT = Effect.READ, Effect.DRAFT


def replaced(town: Town) -> tuple[str, Order]:
    """A deployment that could draft, and that another one took the place of; with its grant."""
    first = deployed(town)
    asked = order(town, DRAFT, deployment=first, owner=OWNER, days=30)
    assert isinstance(grant(town, asked, ROSA), Issued)
    town.later(hours=1)
    deployed(town, image="sha256:bb")
    town.later(hours=1)
    return first, asked


def planned(town: Town, to: str) -> Return:
    return town.read(
        lambda conn: plan_return(
            conn, AGENT, OWNER, to, requester="bot", roster=town.state.roster, new_id=new_id, now=town.now
        )
    )


def test_without_a_cause_it_would_come_back(staffed: Town) -> None:
    first, _ = replaced(staffed)
    assert planned(staffed, first).orders


@pytest.mark.parametrize(
    "cause", [one for one in DemotionCause if one is not DemotionCause.SUPERSEDED], ids=lambda one: one.value
)
def test_a_cause_that_is_found_later_bars_the_way_back(staffed: Town, cause: DemotionCause) -> None:
    """F20, F21: a verdict, an incident or a person may come after the deployment was replaced."""
    first, earlier = replaced(staffed)
    staffed.write(lambda tx: drop(tx, first, Tier.OBSERVE, cause, actor="rollout", now=tx.now))
    staffed.later(minutes=1)

    assert planned(staffed, first).orders == ()
    answer = restore_by(staffed, ROSA, restored(staffed, earlier, days=5))
    assert isinstance(answer, Refused)
    assert allowed(staffed, first) == {READ}


@pytest.mark.parametrize(("scope", "target"), [(Scope.AGENT, AGENT), (Scope.ALL, "all")])
def test_a_killed_agent_does_not_go_back_to_writing(staffed: Town, scope: Scope, target: str) -> None:
    """The freeze of a kill ends; what the kill took does not come back on one manager's word."""
    first, earlier = replaced(staffed)
    stop = Freeze(new_id("freeze"), scope, target, "odd mails", staffed.now + timedelta(hours=1))
    signed = staffed.signed(SVEN, stop.matter)
    killed = staffed.write(lambda tx: kill(tx, stop, signed, roster=staffed.state.roster, now=tx.now))
    assert isinstance(killed, Killed)
    assert first in killed.demoted
    staffed.later(hours=2)

    assert planned(staffed, first).orders == ()
    assert isinstance(restore_by(staffed, ROSA, restored(staffed, earlier, days=5)), Refused)


def test_a_wrong_record_takes_what_could_come_back_too(staffed: Town) -> None:
    """F22."""
    first, earlier = replaced(staffed)
    state = AuditState(10, 10, ("entry 3 was changed",), staffed.now)
    staffed.write(lambda tx: stop_all(tx, state, policy=staffed.state.roster.policy, new_id=new_id))
    staffed.later(minutes=1)

    assert planned(staffed, first).orders == ()
    assert isinstance(restore_by(staffed, ROSA, restored(staffed, earlier, days=5)), Refused)


def falls(town: Town) -> list[Fall]:
    def steps() -> Iterator[Fall]:
        while True:
            looked = town.write(lambda tx: look(tx, roster=town.book.current(tx.conn).roster))
            yield from looked.falls
            if looked.done:
                return

    return list(steps())


def test_a_pattern_of_a_replaced_deployment_is_a_cause(staffed: Town) -> None:
    """R-52: the job of the clock reads the incident after the other deployment came."""
    first, _ = replaced(staffed)
    for _ in range(3):
        staffed.later(minutes=1)
        raise_in(staffed, deviation(AlertRule.RATE, deployment=first))

    (fall,) = falls(staffed)
    assert (fall.deployment, fall.cause) == (first, DemotionCause.PATTERN)
    assert planned(staffed, first).orders == ()


def revoke(town: Town, person: str) -> None:
    signed = town.signed(OLGA, matter_to_revoke(town.state, person, reason="key lost"))
    done = town.write(lambda tx: revoke_keys(tx, town.book.current(tx.conn), signed, now=tx.now))
    assert isinstance(done, Revoked), done


@pytest.mark.parametrize("back", [False, True])
def test_a_reviewer_who_counts_no_more_takes_it_before_and_after_the_return(
    staffed: Town, *, back: bool
) -> None:
    """F17: a grant that was given back stands on the evidence of the earlier one."""
    stage = Stage(staffed)
    frozen = stage.approved()
    assert isinstance(stage.apply(frozen), Applied)
    staffed.later(hours=1)
    deployed(staffed, AGENT, profile="action-executor", image="sha256:bb")
    staffed.later(hours=1)
    asked = restored(staffed, frozen.order, days=1)
    if back:
        assert isinstance(restore_by(staffed, ROSA, asked), Issued)
        assert stage.allowed == {READ, DRAFT}
    revoke(staffed, "dora")
    (fall,) = falls(staffed)

    assert (fall.deployment, fall.cause) == (stage.deployment, DemotionCause.REVIEWER)
    assert stage.allowed == {READ}
    if not back:
        assert isinstance(restore_by(staffed, ROSA, asked), Refused)
