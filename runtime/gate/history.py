"""What was seen and used, as frozen values; each action yields the next history.

A replay keeps it in memory. For live runs the same facts are rows (`seen`, `budget`), read and raised in the
transaction of the intent.
"""

from dataclasses import dataclass, field, replace

from runtime.gate.actions import ActionKind
from runtime.gate.checks.novelty import seen_keys
from runtime.gate.facts import Usage
from runtime.gate.reading import Reading


@dataclass(frozen=True)
class History:
    """Everything earlier actions left behind that a later decision depends on."""

    seen: frozenset[str] = frozenset()
    usage: Usage = field(default_factory=Usage)

    def after(self, reading: Reading, deployment: str) -> "History":
        """Return the history once this action was let through."""
        return History(self.seen | set(seen_keys(reading, deployment)), _used(self.usage, reading))


def _used(usage: Usage, reading: Reading) -> Usage:
    effects = {**usage.effects, reading.effect: usage.effects.get(reading.effect, 0) + reading.units}
    calls = reading.units if reading.action.kind is ActionKind.MODEL else 0
    return replace(
        usage,
        run=usage.run + reading.units,
        hour=usage.hour + reading.units,
        model=usage.model + calls,
        effects=effects,
    )
