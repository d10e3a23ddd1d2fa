"""Whether the rows of grants say what the record says of their beginning, their renewals and their end.

No row permits anything by itself: power is read from signed statements and entries. But people read rows.
"""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, String, Table, select, type_coerce
from sqlalchemy.engine import RowMapping

from runtime.db import streamed
from runtime.errors import CanonicalError
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.leaf import Leaf, decode_leaf
from runtime.tables.grants import GrantRow
from runtime.tables.log import LogEntryRow

_GRANT: Final[Table] = GrantRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_ENTRY: Final[Table] = LogEntryRow.__table__  # type: ignore[attr-defined]  # as above
_KINDS: Final = (EventKind.GRANT_ISSUED, EventKind.GRANT_RENEWED, EventKind.GRANT_REVOKED)
_SIGNED: Final = (
    "deployment",
    "effect",
    "valid_from",
    "valid_until",
    "requester",
    "owner",
    "basis",
    "restores",
)
_TABLE: Final = "effect_grant"
_CHUNK: Final = 500


def check_grants(connection: Connection, findings: Findings) -> None:
    """Compare every grant's row with its entries, and every grant on record with its row."""
    said: dict[str, dict[str, Any]] = {}
    for leaf in _leaves(connection):
        _take(said, leaf)
    rows = {row["id"]: row for row in connection.execute(_QUERY).mappings()}
    for id_ in sorted(said.keys() - rows.keys()):
        findings.add(FindingKind.ROW_DELETED, _TABLE, "it was issued, the record says", row=id_)
    for id_ in sorted(rows.keys() - said.keys()):
        findings.add(FindingKind.ROW_ADDED, _TABLE, "no entry says that it was issued", row=id_)
    for id_ in sorted(rows.keys() & said.keys()):
        _compare(id_, rows[id_], said[id_], findings)


_QUERY: Final = select(
    _GRANT.c.id,
    _GRANT.c.revoke_cause,
    *(type_coerce(_GRANT.c[name], String).label(name) for name in _SIGNED),  # as stored: moments too
)


def _leaves(connection: Connection) -> Iterator[Leaf]:
    kinds = [kind.value for kind in _KINDS]
    query = select(_ENTRY.c.leaf).where(_ENTRY.c.kind.in_(kinds)).order_by(_ENTRY.c.seq)
    for row in streamed(connection, query, chunk=_CHUNK):
        try:
            yield decode_leaf(row.leaf)
        except CanonicalError:
            continue  # the check of the entries names it


def _take(said: dict[str, dict[str, Any]], leaf: Leaf) -> None:
    """Take what an entry says of a grant over what was said before."""
    if leaf.kind is EventKind.GRANT_ISSUED:
        said[str(leaf.subject)] = {name: leaf.data.get(name) for name in _SIGNED} | {"revoke_cause": None}
    elif leaf.subject in said and leaf.kind is EventKind.GRANT_RENEWED:
        said[leaf.subject]["valid_until"] = leaf.data.get("until")
    elif leaf.subject in said:
        said[leaf.subject]["revoke_cause"] = leaf.data.get("cause")


def _compare(id_: str, row: RowMapping, said: dict[str, Any], findings: Findings) -> None:
    for column, expected in said.items():
        if row[column] != expected:
            findings.changed(_TABLE, column, id_, f"got {row[column]!r}; the record says {expected!r}")
