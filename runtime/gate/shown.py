"""What entered an agent's context and is no outcome of an action: lists, notices, questions (R-60)."""

from runtime.canonical import JsonValue
from runtime.context.note import ContextNote
from runtime.gate import spelled
from runtime.gate.context import RunContext
from runtime.gate.parts import GateParts
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind


def append_shown(tx: Tx, parts: GateParts, run: RunContext, note: ContextNote, shown: JsonValue) -> int:
    """Write that something is shown: readable its source and hash, encrypted the thing itself."""
    with parts.worlds.own_writes(tx):
        return _append(tx, run, note, shown)


def _append(tx: Tx, run: RunContext, note: ContextNote, shown: JsonValue) -> int:
    event = Event(
        kind=EventKind.CONTEXT_SHOWN,
        at=tx.now,
        actor="handrail",
        agent=run.agent,
        deployment=run.deployment,
        run=run.run,
        data=note.as_data(),
        payload={"payload": shown, "scrubbed": note.as_payload()},
    )
    return spelled.append(tx, event)
