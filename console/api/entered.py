"""Routes for the ledger of context: what entered the context of a run's agent, and one thing of it."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from console.api.deps import KernelDep
from console.api.views import Json, moment
from console.errors import UsageError
from console.kernel import Kernel
from runtime.context.entered import Entered, entered
from runtime.context.launched import changes_of, kept_at
from runtime.record.trace import PayloadState, trace_run
from runtime.runs import store

router = APIRouter(prefix="/audit/context")


@router.get("/{run}")
def listed(kernel: KernelDep, run: str) -> Json:
    """List what entered, in order, without the things themselves."""
    return {"run": run, "items": [_view(at, one) for at, one in enumerate(_entered(kernel, run), start=1)]}


@router.get("/{run}/{number}")
def shown(kernel: KernelDep, run: str, number: int) -> Json:
    """Return one thing that entered, with what was scrubbed of it. It is agent text."""
    items = _entered(kernel, run)
    if not 1 <= number <= len(items):
        raise UsageError(
            f"item {number} of run {run}",
            expected=f"1 to {len(items)}",
            next_step=f"handrail audit context {run}",
        )
    return _view(number, items[number - 1]) | _detail(kernel, items[number - 1])


def _entered(kernel: Kernel, run: str) -> list[Entered]:
    with kernel.ledger.read() as connection:
        store.find(connection, run)
        return entered(trace_run(connection, kernel.keyring, run))


def _view(number: int, one: Entered) -> Json:
    return {
        "number": number,
        "entry": one.seq,
        "at": moment(one.at),
        "source": one.source,
        "sha256": one.digest,
        "taint": one.taint.value,
        "replaced": dict(one.replaced),
        "flagged": dict(one.flagged),
    }


def _detail(kernel: Kernel, one: Entered) -> Json:
    """Return the thing itself: a constant, or what the record kept of it, if it still has it."""
    if one.kept is None:
        return {"state": "constant" if one.text else "digest only", "value": one.text, "changes": []}
    entry = kernel.ledger.entry(one.kept)
    if entry.payload_state is not PayloadState.PRESENT or entry.payload is None:
        return {"state": entry.payload_state.value, "value": None, "changes": []}
    changes: Sequence[Any] = changes_of(entry.payload, one.source)
    return {
        "state": "kept",
        "value": kept_at(entry.payload, one.within),
        "changes": [{"rule": rule, "found": found, "put": put} for rule, found, put in changes],
    }
