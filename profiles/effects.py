"""The ladder: what an action does to the world, and how far up a deployment has climbed."""

from enum import IntEnum, StrEnum


class Effect(StrEnum):
    """The class of an action, lowest risk first. An effect that cannot be determined is critical."""

    READ = "read"
    DRAFT = "draft"
    UPDATE = "update"
    SEND = "send"
    CRITICAL = "critical"

    @property
    def tier(self) -> "Tier":
        """The lowest tier at which an action of this class may run."""
        return Tier(_ORDER.index(self))

    def raised(self) -> "Effect":
        """The next higher class; critical stays critical."""
        return _ORDER[min(_ORDER.index(self) + 1, len(_ORDER) - 1)]


class Tier(IntEnum):
    """How far a deployment has climbed: the highest effect class granted with all its lower classes."""

    OBSERVE = 0
    DRAFT = 1
    UPDATE = 2
    EXTERNAL = 3
    CRITICAL = 4


_ORDER = tuple(Effect)
