"""Threat: a slightly changed profile is deployed to escape what an agent's fall costs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles.effects import Effect, Tier
from rollout.gates.evaluate import evaluate
from rollout.gates.model import GateId
from runtime.demotion import DemotionCause, drop
from tests.standins.proving import DAY, Proving
from tests.standins.workshop import PROFILE


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    ground = Proving(tmp_path)
    yield ground
    ground.close()


def test_the_cool_down_follows_the_agent_to_its_next_deployment(ground: Proving) -> None:
    """F21: two persons can shorten the dwell of the new deployment; nobody shortens the cool-down."""
    ground.grant(Effect.DRAFT)
    ground.watch(DAY)
    fell, old = ground.town.now, ground.digest
    ground.town.write(
        lambda tx: drop(tx, old, Tier.OBSERVE, DemotionCause.PATTERN, actor="rollout", now=tx.now)
    )
    ground.town.later(minutes=1)
    ground.digest = ground.deploy(PROFILE.replace("version: 1", "version: 2"))
    ground.watch(DAY)
    found = ground.evidence()

    assert found.deployment != old
    assert found.dwell.cool_down_until == fell + 14 * DAY
    excepted = {GateId.G1: ("dora", "rosa")}
    results = evaluate(found, approvals=None, exceptions=excepted, now=found.at)
    dwell = next(one for one in results if one.gate is GateId.G1)
    assert any("cool-down" in said for said in dwell.missing)
