"""Whether each run's row says what the entries of its launch and its ending say, and whether none is missing.

Nothing that decides believes these columns, but people read them, and what was changed was changed by hand.
"""

from typing import Any, Final

from sqlalchemy import Connection, Integer, Row, Table, select, type_coerce

from runtime.canonical import JsonValue
from runtime.db import streamed
from runtime.errors import CanonicalError
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.agents import RunRow
from runtime.tables.log import LogEntryRow

_RUN: Final[Table] = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ENTRY: Final[Table] = LogEntryRow.__table__  # type: ignore[attr-defined]  # as above
_TABLE: Final = "run"
_CHUNK: Final = 500
_TOLD: Final = {
    EventKind.RUN_REQUESTED: ("runtime", "setting", "single_user"),
    EventKind.RUN_ENDED: ("outcome", "exit_code"),
}


def check_runs(connection: Connection, findings: Findings) -> None:
    """Compare every launch and every ending on record with its run's row.

    A row without an entry is none of the record's.
    """
    row = (_RUN.c.id, _RUN.c.agent, _RUN.c.deployment, _RUN.c.runtime, _RUN.c.setting, _RUN.c.operator)
    ending = (_RUN.c.state, _RUN.c.outcome, _RUN.c.exit_code)
    single_user = type_coerce(_RUN.c.single_user, Integer).label("single_user")  # as stored, whatever it is
    query = (
        select(_ENTRY.c.leaf, *row, *ending, single_user)
        .join_from(_ENTRY, _RUN, _ENTRY.c.run == _RUN.c.id, isouter=True)
        .where(_ENTRY.c.kind.in_([kind.value for kind in _TOLD]))
        .order_by(_ENTRY.c.seq)
    )
    for found in streamed(connection, query, chunk=_CHUNK):
        try:
            leaf = decode_leaf(found.leaf)
        except CanonicalError:
            continue  # the check of the entries names it
        _compare(leaf, found, findings)


def _compare(leaf: Leaf, row: Row[*tuple[Any, ...]], findings: Findings) -> None:
    if row.id is None:
        if leaf.kind is EventKind.RUN_REQUESTED:
            detail = f"its launch is recorded as entry {leaf.seq}"
            findings.add(FindingKind.ROW_DELETED, _TABLE, detail, row=leaf.run)
        return
    for column, expected in _said(leaf).items():
        if (got := getattr(row, column)) != expected:
            detail = f"got {got!r}; entry {leaf.seq} says {expected!r}"
            findings.changed(_TABLE, column, row.id, detail)


def _said(leaf: Leaf) -> dict[str, JsonValue]:
    told = {name: leaf.data[name] for name in _TOLD[leaf.kind] if name in leaf.data}
    if leaf.kind is EventKind.RUN_ENDED:
        return {"state": "ended", **told}
    return {"agent": leaf.agent, "deployment": leaf.deployment, "operator": leaf.actor, **told}
