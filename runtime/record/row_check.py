"""Whether the rows that were written with an entry each say what it says: no less, no more, no other things.

Evidence is drawn from suggestions and judgements, and power rests on statements. Who takes a suggestion out
before the draw, or moves it to another class or day, would choose what people judge; who takes out a
judgement or a statement, whom they heard.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, String, Table, func, select, type_coerce
from sqlalchemy.engine import RowMapping

from runtime.db import streamed
from runtime.errors import CanonicalError
from runtime.moments import utc_text
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.leaf import Leaf, decode_leaf
from runtime.record.payload_check import as_bytes
from runtime.tables.actions import JudgementRow, SuggestionRow
from runtime.tables.log import LogEntryRow
from runtime.tables.people import StatementRow
from runtime.tables.types import UtcDateTime

_ENTRY: Final[Table] = LogEntryRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_BEFORE: Final = _ENTRY.alias("before")
_CHUNK: Final = 500

Said = Mapping[str, Any]  # what an entry says of the columns of its row; None where it says nothing


@dataclass(frozen=True)
class _Rows:
    """A table whose every row was written together with one entry.

    Attributes:
        table: the table.
        key: its primary key.
        kind: of the entries.
        said: what an entry says of its row, given the entry before it too.
    """

    table: Table
    key: str
    kind: EventKind
    said: Callable[[Leaf, Leaf], Said]


def check_rows(connection: Connection, findings: Findings) -> None:
    """Compare every such row with its entry, and every such entry with its row."""
    for rows in _ALL:
        known = _compare(connection, rows, findings)
        if connection.execute(select(func.count()).select_from(rows.table)).scalar_one() > known:
            _name_unknown(connection, rows, findings)


def _compare(connection: Connection, rows: _Rows, findings: Findings) -> int:
    """Name the entries whose row is gone or changed; return how many have their row."""
    known = 0
    for leaves in _entries(connection, rows.kind):
        said = {str(one[rows.key]): (leaf.seq, one) for leaf, one in _said(rows, leaves)}
        found = _rows_of(connection, rows, [*said])
        known += len(found)
        for key, (seq, one) in said.items():
            if key in found:
                _one(rows, found[key], seq, one, findings)
            else:
                detail = f"entry {seq} says that it was written"
                findings.add(FindingKind.ROW_DELETED, rows.table.name, detail, row=key)
    return known


def _entries(connection: Connection, kind: EventKind) -> Iterator[Sequence[tuple[Any, Any]]]:
    """The leaves of a kind, each with the one before it, some at a time."""
    query = (
        select(_ENTRY.c.leaf, _BEFORE.c.leaf.label("before"))
        .join(_BEFORE, _BEFORE.c.seq == _ENTRY.c.seq - 1, isouter=True)
        .where(_ENTRY.c.kind == kind.value)
        .order_by(_ENTRY.c.seq)
    )
    chunk: list[tuple[Any, Any]] = []
    for row in streamed(connection, query, chunk=_CHUNK):
        chunk.append((row.leaf, row.before))
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    yield chunk


def _said(rows: _Rows, leaves: Sequence[tuple[Any, Any]]) -> Iterator[tuple[Leaf, Said]]:
    for found, before in leaves:
        try:
            leaf = decode_leaf(found)
            yield leaf, rows.said(leaf, leaf if before is None else decode_leaf(before))
        except CanonicalError:
            continue  # the check of the entries names it


def _rows_of(connection: Connection, rows: _Rows, keys: Sequence[str]) -> dict[str, RowMapping]:
    query = select(*map(_as_stored, rows.table.c)).where(rows.table.c[rows.key].in_(keys))
    return {str(row[rows.key]): row for row in connection.execute(query).mappings()} if keys else {}


def _as_stored(column: Column[Any]) -> ColumnElement[Any]:
    """A column as it is stored: a moment that is none cannot be read otherwise."""
    return type_coerce(column, String).label(column.name) if isinstance(column.type, UtcDateTime) else column


def _one(rows: _Rows, row: RowMapping, seq: int, said: Said, findings: Findings) -> None:
    for column, expected in said.items():
        got = _digest(row[column]) if column == "body" else row[column]
        if expected is not None and got != expected:
            detail = f"got {str(got)!r}; entry {seq} says {str(expected)!r}"
            findings.changed(rows.table.name, column, row[rows.key], detail)


def _digest(body: Any) -> str:
    """SHA-256 in hex over the bytes of a statement, which is its id; over its text, where it was made one."""
    return hashlib.sha256(body.encode() if isinstance(body, str) else as_bytes(body)).hexdigest()


def _name_unknown(connection: Connection, rows: _Rows, findings: Findings) -> None:
    """Name the rows of which the record knows nothing."""
    unknown = set(connection.execute(select(rows.table.c[rows.key])).scalars())
    for leaves in _entries(connection, rows.kind):
        unknown -= {said[rows.key] for _, said in _said(rows, leaves)}
    for key in sorted(map(str, unknown)):
        findings.add(FindingKind.ROW_ADDED, rows.table.name, "no entry says that it was written", row=key)


def _suggestion(leaf: Leaf, before: Leaf) -> Said:
    action = leaf.data.get("action")
    decision = before.data if before.subject == action else {}
    return {
        "id": leaf.subject,
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


def _judgement(leaf: Leaf, _before: Leaf) -> Said:
    return {
        "statement": leaf.data.get("statement"),
        "suggestion": leaf.subject,
        "person": leaf.actor,
        "verdict": leaf.data.get("verdict"),
        "judged_at": utc_text(leaf.at),
    }


def _statement(leaf: Leaf, _before: Leaf) -> Said:
    return {
        "id": leaf.data.get("id"),
        "type": leaf.data.get("type"),
        "person": leaf.actor,
        "subject": leaf.subject,
        "body": leaf.data.get("id"),
        "made_at": utc_text(leaf.at),
    }


_ALL: Final = (
    _Rows(SuggestionRow.__table__, "id", EventKind.SUGGESTION_MADE, _suggestion),  # type: ignore[attr-defined]  # as above
    _Rows(JudgementRow.__table__, "statement", EventKind.SUGGESTION_JUDGED, _judgement),  # type: ignore[attr-defined]  # as above
    _Rows(StatementRow.__table__, "id", EventKind.STATEMENT_MADE, _statement),  # type: ignore[attr-defined]  # as above
)
