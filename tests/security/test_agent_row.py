"""Threat: someone who can write to the database changes who owns an agent, or how risky it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rollout.promotions.applying import Over
from rollout.promotions.states import PromotionState
from runtime.agents import AgentError
from tests.standins.persons import Town
from tests.standins.promoting import Stage
from tests.standins.proving import Proving
from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]

STRANGER = "UPDATE agent SET owner = 'stranger'"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Proving]:
    ground = Proving(tmp_path)
    yield ground
    ground.close()


@pytest.mark.parametrize("attack", [STRANGER, "UPDATE agent SET traits = '[\"internal-docs\"]'"])
def test_no_evidence_is_collected_for_an_agent_that_is_not_as_it_was_registered(
    ground: Proving, attack: str
) -> None:
    """F7: the owner never approves; a milder risk would let two persons shorten what is observed."""
    assert ground.evidence().owner == "olga"
    ground.town.tamper(attack)

    with pytest.raises(AgentError, match="not what was recorded"):
        ground.evidence()


def test_a_request_is_void_when_the_agents_row_was_changed(staffed: Town) -> None:
    """F8."""
    stage = Stage(staffed)
    frozen = stage.approved()
    staffed.tamper(STRANGER)
    found = stage.examine(frozen)

    assert isinstance(found, Over)
    assert found.state is PromotionState.STALE
    assert "not what was recorded" in found.reason
