"""Whether each run's row says what the record of its launch says: agent, deployment, walls, setting.

Nothing that decides believes these columns, but people read them, and what was changed was changed by hand.
"""

from typing import Final

from sqlalchemy import Connection, and_, select

from runtime.canonical import JsonValue
from runtime.db import streamed
from runtime.errors import CanonicalError
from runtime.record.events import EventKind
from runtime.record.findings import Findings
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.agents import RunRow
from runtime.tables.log import LogEntryRow

_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ENTRY = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_TABLE: Final = "run"
_CHUNK: Final = 500


def check_runs(connection: Connection, findings: Findings) -> None:
    """Compare every run's row with the entry of its launch; a row without one is none of the record's."""
    launched = and_(_ENTRY.c.run == _RUN.c.id, _ENTRY.c.kind == EventKind.RUN_REQUESTED.value)
    columns = (_RUN.c.id, _RUN.c.agent, _RUN.c.deployment, _RUN.c.runtime, _RUN.c.setting, _ENTRY.c.leaf)
    query = select(*columns).join_from(_RUN, _ENTRY, launched).order_by(_RUN.c.id, _ENTRY.c.seq.desc())
    for row in streamed(connection, query, chunk=_CHUNK):
        try:
            said = _said(decode_leaf(row.leaf))
        except CanonicalError:
            continue  # the check of the entries names it
        for column, expected in said.items():
            if expected is not None and (got := getattr(row, column)) != expected:
                detail = f"got {got!r}; its launch was recorded with {expected!r}"
                findings.changed(_TABLE, column, row.id, detail)


def _said(leaf: Leaf) -> dict[str, JsonValue]:
    return {
        "agent": leaf.agent,
        "deployment": leaf.deployment,
        "runtime": leaf.data.get("runtime"),
        "setting": leaf.data.get("setting"),
    }
