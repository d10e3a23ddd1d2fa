"""Fixtures: a stage on which an agent is promoted."""

from tests.standins.promoting import stage
from tests.standins.towns import staffed, town

__all__ = ["staffed", "stage", "town"]
