"""Falls: causes that the record holds, each acted on once, before every promotion."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from profiles.effects import Effect, Tier
from rollout.demotions.falls import Fall, look
from rollout.promotions.applying import Applied, Over
from rollout.promotions.states import PromotionState
from runtime.alerts.rules import AlertRule
from runtime.demotion import DemotionCause
from runtime.gate.states import JudgementVerdict
from runtime.people.changes import Applied as PolicyApplied
from runtime.people.revocation import Revoked, matter_to_revoke, revoke_keys
from runtime.suspension_rules import SuspensionCode
from tests.standins.alarms import deviation, raise_in
from tests.standins.persons import Town
from tests.standins.power import suspend_in
from tests.standins.promoting import Stage
from tests.standins.proving import Proving
from tests.standins.towns import DORA, OLGA, ROSA, STAFF, grant, order, staffed, town

__all__ = ["staffed", "town"]

READ, DRAFT, UPDATE, _, _ = Effect


@pytest.fixture
def stage(staffed: Town) -> Stage:
    """An agent at tier 0 with evidence that is good enough."""
    return Stage(staffed)


def falls(stage: Stage) -> list[Fall]:
    """What the job of the clock does: steps until nothing is left."""

    def steps() -> Iterator[Fall]:
        while True:
            looked = stage.town.write(lambda tx: look(tx, roster=stage.roster(tx)))
            yield from looked.falls
            if looked.done:
                return

    return list(steps())


def deviate(stage: Stage, times: int) -> None:
    for _ in range(times):
        stage.town.later(minutes=1)
        raise_in(stage.town, deviation(AlertRule.RATE, deployment=stage.deployment))


def test_the_third_time_costs_one_tier_once(stage: Stage) -> None:
    """R-52, F12: grouped into one alert, and counted all the same."""
    assert isinstance(stage.apply(stage.approved()), Applied)
    deviate(stage, 2)
    assert falls(stage) == []
    assert stage.allowed == {READ, DRAFT}

    deviate(stage, 1)
    (fall,) = falls(stage)
    assert (fall.to, fall.cause) == (Tier.OBSERVE, DemotionCause.PATTERN)
    assert stage.allowed == {READ}
    assert falls(stage) == []


def test_a_pattern_takes_one_tier_and_leaves_the_one_below(stage: Stage) -> None:
    assert isinstance(stage.apply(stage.approved()), Applied)
    asked = order(stage.town, UPDATE, deployment=stage.deployment)
    grant(stage.town, asked, ROSA, DORA)
    assert stage.allowed == {READ, DRAFT, UPDATE}

    deviate(stage, 3)
    falls(stage)
    assert stage.allowed == {READ, DRAFT}


def test_a_class_whose_time_is_over_does_not_take_the_fall_for_the_one_below(stage: Stage) -> None:
    """R-52: what has lapsed costs nothing to lose."""
    assert isinstance(stage.apply(stage.approved()), Applied)
    grant(stage.town, order(stage.town, UPDATE, deployment=stage.deployment, days=1), ROSA, DORA)
    stage.town.later(days=2)
    assert stage.allowed == {READ, DRAFT}

    deviate(stage, 3)
    falls(stage)
    assert stage.allowed == {READ}


def test_a_fall_voids_the_request_that_was_about_to_be_applied(stage: Stage) -> None:
    """F20: in a race of demotion and promotion, demotion wins."""
    frozen = stage.approved()
    deviate(stage, 3)
    (fall,) = falls(stage)

    assert fall.requests == (frozen.promotion,)
    assert isinstance(stage.apply(frozen), Over)
    assert stage.state(frozen) == PromotionState.STALE
    assert stage.allowed == {READ}


def revoke(stage: Stage, person: str) -> None:
    town = stage.town
    matter = matter_to_revoke(town.state, person, reason="key lost")
    signed = town.signed(OLGA, matter)
    done = town.write(lambda tx: revoke_keys(tx, town.book.current(tx.conn), signed, now=tx.now))
    assert isinstance(done, Revoked), done


@pytest.mark.parametrize(("person", "left"), [("dora", {READ}), ("lena", {READ, DRAFT})])
def test_without_a_reviewer_the_evidence_of_a_grant_is_looked_at_again(
    stage: Stage, person: str, left: set[Effect]
) -> None:
    """F17: the judged items of this stage are invented, so nothing real is left without dora's."""
    assert isinstance(stage.apply(stage.approved()), Applied)
    revoke(stage, person)

    found = [(fall.to, fall.cause) for fall in falls(stage)]
    assert found == ([(Tier.OBSERVE, DemotionCause.REVIEWER)] if left == {READ} else [])
    assert stage.allowed == left


def test_a_reviewer_who_loses_the_role_counts_no_more_either(stage: Stage) -> None:
    """F6, F17: a new policy without dora's group, and the evidence is looked at again."""
    town = stage.town
    assert isinstance(stage.apply(stage.approved()), Applied)
    assert falls(stage) == []
    town.later(minutes=1)
    text = yaml.safe_load(STAFF)
    text["people"]["dora"]["groups"] = []
    text["version"] = 2
    assert isinstance(town.change(yaml.safe_dump(text), OLGA, ROSA), PolicyApplied)

    assert [(fall.to, fall.cause) for fall in falls(stage)] == [(Tier.OBSERVE, DemotionCause.REVIEWER)]
    assert stage.allowed == {READ}


def test_what_is_judged_while_the_class_is_suspended_takes_it_all_the_same(tmp_path: Path) -> None:
    """Else a resumed class would go on, though people had disagreed with all of it."""
    ground = Proving(tmp_path)
    try:
        ground.grant(DRAFT)
        ground.town.later(minutes=1)
        suspend_in(ground.town, SuspensionCode.HARMFUL, effect=DRAFT, deployment=ground.digest)
        ground.desk.label("m-1", "m-2", "m-3")
        ground.desk.draw()
        for item in ground.desk.items():
            ground.judge(item.id, DORA, JudgementVerdict.DISAGREE)
        looked = ground.town.write(lambda tx: look(tx, roster=ground.town.book.current(tx.conn).roster))

        assert [(fall.to, fall.cause) for fall in looked.falls] == [(Tier.OBSERVE, DemotionCause.AGREEMENT)]
    finally:
        ground.close()
