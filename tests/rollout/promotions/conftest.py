"""Fixtures: a stage on which an agent is promoted."""

import pytest

from tests.standins.persons import Town
from tests.standins.promoting import Stage
from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]


@pytest.fixture
def stage(staffed: Town) -> Stage:
    """An agent at tier 0 whose evidence is good."""
    return Stage(staffed)
