"""Reconcile: what was begun and whose end nobody knows (R-10).

An `action.intent` is closed by the `action.outcome` or `action.reconciled` with the same subject. An outcome
whose status is `unknown` closes nothing: the connector could not tell.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from runtime.canonical import JsonValue
from runtime.db import streamed
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.log import LogEntryRow

STATUS = "status"
UNKNOWN = "unknown"

_ENTRY = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table
_CHUNK = 500
_KINDS = (EventKind.ACTION_INTENT, EventKind.ACTION_OUTCOME, EventKind.ACTION_RECONCILED)


class OpenCause(StrEnum):
    """Why an action's end is not known."""

    NO_OUTCOME = "no outcome was recorded"
    UNKNOWN_OUTCOME = "the outcome is recorded as unknown"


@dataclass(frozen=True)
class OpenAction:
    """One action that was begun and whose effect may or may not have happened."""

    cause: OpenCause
    intent: Leaf


def open_actions(connection: Connection) -> list[OpenAction]:
    """Return every action without a known end, oldest first.

    Memory grows with what is open, not with the log.

    Raises:
        CanonicalError: a leaf cannot be read.
    """
    found: dict[str | None, OpenAction] = {}
    for leaf in _leaves(connection):
        if leaf.kind is EventKind.ACTION_INTENT:
            found[leaf.subject] = OpenAction(OpenCause.NO_OUTCOME, leaf)
        elif leaf.kind is EventKind.ACTION_OUTCOME and _is_unknown(leaf.data) and leaf.subject in found:
            found[leaf.subject] = OpenAction(OpenCause.UNKNOWN_OUTCOME, found[leaf.subject].intent)
        else:
            found.pop(leaf.subject, None)
    return list(found.values())


def _is_unknown(data: Mapping[str, JsonValue]) -> bool:
    return data.get(STATUS, UNKNOWN) == UNKNOWN


def _leaves(connection: Connection) -> Iterator[Leaf]:
    query = select(_ENTRY.leaf).where(_ENTRY.kind.in_(_KINDS)).order_by(_ENTRY.seq)
    for (leaf,) in streamed(connection, query, chunk=_CHUNK):
        yield decode_leaf(leaf)
