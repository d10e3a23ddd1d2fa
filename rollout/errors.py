"""The errors of the rollout room. Each says what was got, what was expected and the next step."""


class RolloutError(Exception):
    """Any failure that the rollout reports about itself; the base of this room's errors."""
