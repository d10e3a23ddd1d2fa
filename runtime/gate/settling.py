"""Settling: the outcome of an admitted action, in one transaction."""

from typing import Final

from runtime.gate import hold_rows, rows, spelled
from runtime.gate.actions import Action
from runtime.gate.context import RunContext
from runtime.gate.entries import outcome_event, status_of
from runtime.gate.parts import GateParts
from runtime.gate.replies import Failed, Performed, Result, Ticket
from runtime.gate.states import ActionState
from runtime.gate.steps import SETTLING
from runtime.models import usage
from runtime.models.prices import Used
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind

_UNUSED: Final = {"used": [0, 0, 0, 0]}


async def settle(parts: GateParts, ticket: Ticket, result: Result) -> bool:
    """Record an outcome once; false if the action had one already.

    Raises:
        runtime.errors.LedgerError: the record did not take it.
    """
    return await parts.ledger.write(lambda tx: settle_in(tx, parts, ticket, result))


def abandon(tx: Tx, run: RunContext, action: Action) -> bool:
    """Record that nothing was done for an intent whose caller went away before it heard of it."""
    if not rows.settle_action(tx.conn, action.id, ActionState.FAILED, now=tx.now):
        return False
    if action.model is not None:
        usage.settle(tx.conn, action.run, action.model, Used(), calls=0)
    tx.append(
        Event(
            kind=EventKind.ACTION_OUTCOME,
            at=tx.now,
            actor="handrail",
            agent=run.agent,
            deployment=run.deployment,
            run=run.run,
            subject=action.id,
            data={"status": ActionState.FAILED.value, **({} if action.model is None else _UNUSED)},
            payload={"reason": "the caller went away before it began"},
        )
    )
    return True


def settle_in(tx: Tx, parts: GateParts, ticket: Ticket, result: Result) -> bool:
    """Record an outcome inside a transaction; false if the action had one already."""
    with parts.worlds.own_writes(tx):
        settled = _write_outcome(tx, parts, ticket, result)
    parts.on_step(SETTLING)
    return settled


def _write_outcome(tx: Tx, parts: GateParts, ticket: Ticket, result: Result) -> bool:
    state = ActionState(status_of(result))
    if not rows.settle_action(tx.conn, ticket.action.id, state, now=tx.now):
        return False
    parts.broker.spend(tx, ticket.lease)
    event = outcome_event(ticket, result, now=tx.now, used=_count_model(tx, ticket, result))
    seq = spelled.append(tx, event)
    if ticket.hold is not None:
        hold_rows.set_result(tx, ticket.hold, seq)
    return True


def _count_model(tx: Tx, ticket: Ticket, result: Result) -> tuple[int, ...] | None:
    """Count what a model call used, and return it; what nobody knows stays reserved."""
    ask = ticket.action.model
    if ask is None:
        return None
    if isinstance(result, Failed):
        used, calls = Used(), 0
    elif isinstance(result, Performed) and (result.used is not None or result.is_error):
        used, calls = result.used or Used(), 1
    else:
        return None
    usage.settle(tx.conn, ticket.action.run, ask, used, calls=calls)
    return calls, used.input_tokens, used.output_tokens, used.cost_micros
