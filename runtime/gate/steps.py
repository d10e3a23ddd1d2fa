"""The steps of an action's path, in order. A fail point is called at each; tests kill the process there."""

from collections.abc import Callable
from typing import Final

OnStep = Callable[[str], None]

DECIDED: Final = "admit.decided"
RESERVED: Final = "admit.reserved"
APPENDED: Final = "admit.appended"
ADMITTED: Final = "admit.durable"
PERFORMED: Final = "effect.performed"
SETTLING: Final = "settle.appended"
SETTLED: Final = "settle.durable"

STEPS: Final = (DECIDED, RESERVED, APPENDED, ADMITTED, PERFORMED, SETTLING, SETTLED)
"""Between these the record adds its own, `batch.*`; see `runtime.record.writer`."""


def no_step(_name: str) -> None:
    """Do nothing at a step."""
