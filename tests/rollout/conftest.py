"""The towns of the rollout's tests."""

from tests.standins.towns import staffed, town

__all__ = ["staffed", "town"]
