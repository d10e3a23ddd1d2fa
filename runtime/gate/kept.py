"""Results that a person must see before the agent does, as the profile wants it (`context: {results: hold}`).

Such a read is done and recorded, and its result is kept back: the agent is told that it is pending. In the
same transaction a hold is opened on the identical call. Once that is approved the call runs again, and its
result passes if it tells nothing that the persons were not shown. A write cannot run twice, so its result is
shown with general kinds replaced.
"""

from dataclasses import replace
from typing import Final

from profiles.effects import Effect
from runtime.gate import units
from runtime.gate.actions import ActionKind
from runtime.gate.answers import Answer, Reason, ReasonCode, Verdict, join
from runtime.gate.asked import standing_hold
from runtime.gate.cards import HoldCard
from runtime.gate.checks.results import CHECK, STATUS_KEY
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided, read_safely
from runtime.gate.holds import HoldBook
from runtime.gate.lookalike import printable
from runtime.gate.parts import GateParts
from runtime.gate.replies import Pending, Performed, Ticket, Withheld
from runtime.gate.settling import settle, settle_in
from runtime.gate.tally import quorum_for
from runtime.gate.units import Case
from runtime.gate.world import read_world
from runtime.record.batch import Tx

_QUOTED: Final = 3
_QUOTE: Final = 80
_KEPT_BACK: Final = frozenset(
    {ActionKind.TOOL, ActionKind.RESOURCE, ActionKind.PROMPT, ActionKind.COMPLETION}
)


def as_shown(ticket: Ticket, performed: Performed) -> Performed | None:
    """Return a result as it is shown now; None where it is kept back until a person has seen it."""
    if performed.once_seen is None:
        return performed
    if keys_of(performed.once_seen) <= ticket.passes:
        return performed.once_seen
    if ticket.effect is Effect.READ and ticket.action.kind in _KEPT_BACK:
        return None
    return replace(performed, once_seen=None)


def keys_of(told: Performed) -> frozenset[str]:
    """Return what a result tells of the agent's status, as keys of reasons."""
    return frozenset(f"{STATUS_KEY}{kind}" for kind in (told.note.flagged if told.note else ()))


async def keep_back(
    parts: GateParts, holds: HoldBook, run: RunContext, ticket: Ticket, performed: Performed
) -> Pending | Withheld:
    """Record a result without showing it, and let the identical call wait for a person.

    Raises:
        runtime.errors.LedgerError: the record did not take it.
    """
    told = performed.once_seen or performed
    known = holds.find(run.run, ticket.action.args_digest)
    if known is not None:
        await settle(parts, ticket, replace(told, note=None))
        return Pending()
    card = await parts.ledger.write(lambda tx: _keep(tx, parts, run, ticket, told))
    if card is None:
        return Withheld()
    if isinstance(card, str):
        holds.register(await holds.card(card))
        return Pending()
    holds.register(card)
    parts.notifier.waiting("hold", (card.hold,))
    return Pending()


def _keep(
    tx: Tx, parts: GateParts, run: RunContext, ticket: Ticket, told: Performed
) -> HoldCard | str | None:
    """Settle the action and open the hold, if there is anybody who may decide on it.

    Returns:
        the hold that was opened; the id of one that a call beside this one has opened; None where nobody may.
    """
    settle_in(tx, parts, ticket, replace(told, note=None))
    if (known := standing_hold(tx.conn, run.run, ticket.action.args_digest)) is not None:
        return known
    world = read_world(tx.conn, run, book=parts.book, now=tx.now)
    if quorum_for(world.roster.policy, ticket.effect) is None:
        return None
    again = replace(ticket.action, id=parts.new_id("act"))
    held = Verdict(CHECK, Answer.HOLD, _reasons(told))
    decided = Decided(read_safely(run.profile, again), join([held]))
    return units.hold(tx, Case(parts, run, decided, world, tx.now)).opened


def _reasons(told: Performed) -> tuple[Reason, ...]:
    return tuple(
        Reason(ReasonCode.STATUS_TEXT, _detail(told, key.removeprefix(STATUS_KEY)), key=key)
        for key in sorted(keys_of(told))
    )


def _detail(told: Performed, kind: str) -> str:
    changes = told.note.changes if told.note else ()
    found = dict.fromkeys(change.found for change in changes if change.kind and change.kind.value == kind)
    quoted = ", ".join(f'"{printable(text, _QUOTE)}"' for text in list(found)[:_QUOTED])
    return printable(f"its result tells of {kind}: {quoted}", 300)
