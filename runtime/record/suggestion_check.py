"""Whether the rows of suggestions and judgements say what the record says: no less, no more, no other things.

Evidence is drawn from these rows. Who takes one out before the draw, or moves it to another class or day,
would choose what people judge; who takes out a judgement, whom they heard.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Row, String, Table, and_, func, select, type_coerce

from runtime.db import streamed
from runtime.errors import CanonicalError
from runtime.moments import utc_text
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.actions import JudgementRow, SuggestionRow
from runtime.tables.log import LogEntryRow
from runtime.tables.types import UtcDateTime

_ENTRY: Final[Table] = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_BEFORE: Final = _ENTRY.alias("before")
_SUGGESTION: Final[Table] = SuggestionRow.__table__  # type: ignore[attr-defined]  # as above
_JUDGEMENT: Final[Table] = JudgementRow.__table__  # type: ignore[attr-defined]  # as above
_CHUNK: Final = 500


@dataclass(frozen=True)
class _Rows:
    """A table whose every row was written together with one entry.

    Attributes:
        table: the table.
        key: its primary key.
        kind: of the entries.
        match: which row an entry is about.
        columns: those that the entry knows.
    """

    table: Table
    key: str
    kind: EventKind
    match: Any
    columns: tuple[str, ...]


_MADE: Final = _Rows(
    _SUGGESTION,
    "id",
    EventKind.SUGGESTION_MADE,
    _SUGGESTION.c.id == _ENTRY.c.subject,
    ("action", "run", "deployment", "agent", "tool", "effect", "args_digest", "log_seq", "created_at"),
)
_JUDGED: Final = _Rows(
    _JUDGEMENT,
    "statement",
    EventKind.SUGGESTION_JUDGED,
    and_(_JUDGEMENT.c.suggestion == _ENTRY.c.subject, _JUDGEMENT.c.person == _ENTRY.c.actor),
    ("statement", "suggestion", "person", "verdict", "judged_at"),
)


def check_suggestions(connection: Connection, findings: Findings) -> None:
    """Compare every suggestion and every judgement with its entry, and every such entry with its row."""
    for rows in (_MADE, _JUDGED):
        known = _compare(connection, rows, findings)
        if connection.execute(select(func.count()).select_from(rows.table)).scalar_one() > known:
            _name_unknown(connection, rows, findings)


def _compare(connection: Connection, rows: _Rows, findings: Findings) -> int:
    """Name the entries whose row is gone or changed; return how many have their row."""
    known = 0
    columns = [_as_stored(rows.table.c[name]) for name in dict.fromkeys((rows.key, *rows.columns))]
    query = (
        select(_ENTRY.c.leaf, _BEFORE.c.leaf.label("before"), *columns)
        .join_from(_ENTRY, rows.table, rows.match, isouter=True)
        .join(_BEFORE, _BEFORE.c.seq == _ENTRY.c.seq - 1, isouter=True)
        .where(_ENTRY.c.kind == rows.kind.value)
        .order_by(_ENTRY.c.seq)
    )
    for row in streamed(connection, query, chunk=_CHUNK):
        known += getattr(row, f"row_{rows.key}") is not None
        for leaf, said in _read(row):
            _one(rows, row, leaf, said, findings)
    return known


def _as_stored(column: Column[Any]) -> ColumnElement[Any]:
    """A column as it is stored: a moment that is none cannot be read otherwise."""
    stored = type_coerce(column, String) if isinstance(column.type, UtcDateTime) else column
    return stored.label(f"row_{column.name}")


def _one(rows: _Rows, row: Row[Any], leaf: Leaf, said: Mapping[str, Any], findings: Findings) -> None:
    table, key = rows.table.name, getattr(row, f"row_{rows.key}")
    if key is None:
        detail = f"entry {leaf.seq} says that it was written"
        findings.add(FindingKind.ROW_DELETED, table, detail, row=leaf.subject)
        return
    for column in rows.columns:
        got, expected = getattr(row, f"row_{column}"), said[column]
        if expected is not None and got != expected:
            detail = f"got {str(got)!r}; entry {leaf.seq} says {str(expected)!r}"
            findings.changed(table, column, key, detail)


def _read(row: Row[Any]) -> Iterator[tuple[Leaf, Mapping[str, Any]]]:
    """What the entry of a row, and the decision right before it, say; nothing where they cannot be read."""
    try:
        leaf = decode_leaf(row.leaf)
        before = decode_leaf(row.before) if row.before is not None else leaf
    except CanonicalError:
        return  # the check of the entries names it
    yield leaf, _judged(leaf) if leaf.kind is EventKind.SUGGESTION_JUDGED else _made(leaf, before)


def _made(leaf: Leaf, before: Leaf) -> dict[str, Any]:
    action = leaf.data.get("action")
    decision = before.data if before.subject == action else {}
    return {
        "action": action,
        "run": leaf.run,
        "deployment": leaf.deployment,
        "agent": leaf.agent,
        "tool": decision.get("name") or None,
        "effect": decision.get("effect"),
        "args_digest": decision.get("digest"),
        "log_seq": leaf.seq,
        "created_at": utc_text(leaf.at),
    }


def _judged(leaf: Leaf) -> dict[str, Any]:
    return {
        "statement": leaf.data.get("statement"),
        "suggestion": leaf.subject,
        "person": leaf.actor,
        "verdict": leaf.data.get("verdict"),
        "judged_at": utc_text(leaf.at),
    }


def _name_unknown(connection: Connection, rows: _Rows, findings: Findings) -> None:
    """Name the rows of which the record knows nothing; entries have no index for this, so it is slow."""
    told = and_(rows.match, _ENTRY.c.kind == rows.kind.value)
    query = (
        select(rows.table.c[rows.key])
        .join_from(rows.table, _ENTRY, told, isouter=True)
        .where(_ENTRY.c.seq.is_(None))
        .order_by(rows.table.c[rows.key])
    )
    for (key,) in streamed(connection, query, chunk=_CHUNK):
        findings.add(FindingKind.ROW_ADDED, rows.table.name, "no entry says that it was written", row=key)
