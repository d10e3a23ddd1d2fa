"""What a gate is made of; the composition root builds it."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

from runtime.broker import Broker
from runtime.clock import Clock, NewId
from runtime.gate.replies import Carrier
from runtime.gate.steps import OnStep, no_step
from runtime.gate.worlds import Worlds
from runtime.people.policies import PolicyBook
from runtime.record.ledger import Ledger

HOLD_WAIT_SECONDS: Final = 240.0


class Notifier(Protocol):
    """Tells people that something waits for them. It never blocks and never fails its caller."""

    def waiting(self, kind: str, ids: tuple[str, ...]) -> None:
        """Say that these holds or suggestions wait; ids only, never a word of an agent's."""
        ...


class Silent:
    """A notifier that tells nobody."""

    def waiting(self, kind: str, ids: tuple[str, ...]) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class GateParts:
    """What a gate needs.

    Attributes:
        ledger: the record.
        book: the policy in force.
        broker: gives leases.
        clock: the present moment.
        new_id: names holds and suggestions.
        carrier: opens what is needed to carry out an approved write.
        notifier: told when something waits.
        node: whose runs these are, see `runtime.node`; the empty name is for the only one.
        hold_wait_seconds: how long a held read waits before it is answered as pending.
        on_step: called at each step; tests kill the process there.
    """

    ledger: Ledger
    book: PolicyBook
    broker: Broker
    clock: Clock
    new_id: NewId
    carrier: Carrier
    notifier: Notifier = field(default_factory=Silent)
    node: str = ""
    hold_wait_seconds: float = HOLD_WAIT_SECONDS
    on_step: OnStep = no_step

    @cached_property
    def worlds(self) -> Worlds:
        """What reads worlds inside the record's transactions."""
        return Worlds(self.book)
