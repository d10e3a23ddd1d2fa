"""The simulation's own source of chance: everything in it follows from one seed."""

import base64
from random import Random


class Chance:
    """Gives bytes, ids and decisions; the same seed gives the same story."""

    def __init__(self, seed: int) -> None:
        """Begin."""
        self._random = Random(seed)  # noqa: S311 a story, no secret: its keys guard nothing but itself

    def bytes(self, count: int) -> bytes:
        """Return so many bytes."""
        return self._random.randbytes(count)

    def new_id(self, prefix: str) -> str:
        """Return an id of the form that `runtime.clock.new_id` gives."""
        return f"{prefix}-{base64.b32encode(self.bytes(10)).decode().lower()}"

    def happens(self, share: float) -> bool:
        """Whether something happens that happens in this share of all cases."""
        return self._random.random() < share
