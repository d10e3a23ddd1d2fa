"""Agents: what registering one records, and what follows from its traits."""

import pytest

from profiles.load import shipped_profile
from profiles.risk import Risk
from runtime import agents
from runtime.agents import AgentError
from tests.standins.persons import Town
from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]


def test_an_agents_traits_give_its_risk_row_and_are_recorded(staffed: Town) -> None:
    """R-01: traits derive risk, controls and cadence."""
    staffed.write(lambda tx: agents.register(tx, "crm-bot", ["customer-data"], owner="olga", now=staffed.now))

    found = staffed.read(lambda conn: agents.find(conn, "crm-bot"))

    assert found.assessment().risk is Risk.CRITICAL
    assert found.assessment().rows == ("R-48",)
    assert staffed.entry("agent.registered", -1).leaf.data["traits"] == ["customer-data"]


def test_an_agent_without_traits_counts_as_everything(staffed: Town) -> None:
    """R-16: what is not classified belongs to the highest class."""
    agent = staffed.write(lambda tx: agents.register(tx, "bot", [], owner="olga", now=staffed.now))

    assert agent.assessment().risk is Risk.CRITICAL
    assert agent.assessment().rows == ("R-46", "R-47", "R-48", "R-49", "R-50")


@pytest.mark.parametrize("name", ["", "Bot", "a b", "a/b", "-bot", "ü", "x" * 64, "bot\n"])
def test_a_name_that_could_be_mistaken_is_refused(staffed: Town, name: str) -> None:
    with pytest.raises(AgentError, match="expected at most 63 lower-case letters"):
        staffed.write(lambda tx: agents.register(tx, name, [], owner="olga", now=staffed.now))


def test_a_name_is_given_once_and_an_unknown_trait_is_named(staffed: Town) -> None:
    staffed.write(lambda tx: agents.register(tx, "bot", ["beyond-text"], owner="olga", now=staffed.now))

    with pytest.raises(AgentError, match="registered already"):
        staffed.write(lambda tx: agents.register(tx, "bot", [], owner="rosa", now=staffed.now))
    with pytest.raises(AgentError, match="unknown trait friendly; expected one of internal-tool-api"):
        staffed.write(lambda tx: agents.register(tx, "bot2", ["friendly"], owner="olga", now=staffed.now))

    assert staffed.count("agent") == 1


def test_a_profile_that_sends_cannot_be_understated(staffed: Town) -> None:
    """R-50: what the profile permits adds to the traits that were registered."""
    agent = staffed.write(
        lambda tx: agents.register(tx, "bot", ["internal-docs"], owner="olga", now=staffed.now)
    )

    assert agent.assessment().rows == ("R-46",)
    assert "R-50" in agent.assessment(shipped_profile("outreach").profile).rows
