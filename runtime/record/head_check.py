"""The head, held against the entries: a truncated tail, added rows, and every column of it."""

from typing import Any

from sqlalchemy import Connection, Row, select

from runtime.record.batch import HEAD_ID
from runtime.record.entry_check import EntryCheck
from runtime.record.findings import FindingKind, Findings
from runtime.record.replay import ENTRIES
from runtime.tables.log import LogHeadRow

HEADS = "log_head"

_ROW = LogHeadRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table


def read_heads(connection: Connection) -> list[Row[Any]]:
    """Return every row of the head table; a sound record has one."""
    query = select(_ROW.id, _ROW.origin, _ROW.size, _ROW.frontier, _ROW.high_water).order_by(_ROW.id)
    return list(connection.execute(query))


def check_head(heads: list[Row[Any]], entries: EntryCheck, origin: str, findings: Findings) -> None:
    """Compare the head with the entries that were read."""
    if not heads:
        findings.add(FindingKind.ROW_DELETED, HEADS, "the log has no head")
        return
    for extra in heads[1:]:
        findings.add(FindingKind.ROW_ADDED, HEADS, "a log has one head", row=extra.id)
    head = heads[0]
    if head.id != HEAD_ID:
        findings.changed(HEADS, "id", HEAD_ID, f"the column says {head.id}, expected {HEAD_ID}")
    if head.origin != origin:
        findings.changed(HEADS, "origin", HEAD_ID, f"the column says `{head.origin}`, expected `{origin}`")
    _check_end(head, entries, findings)


def _check_end(head: Row[Any], entries: EntryCheck, findings: Findings) -> None:
    if not isinstance(head.size, int):
        findings.changed(HEADS, "size", HEAD_ID, f"the column says {head.size!r}, expected a number")
        return
    same_tree = entries.replay.settle_frontier(head.frontier)
    if head.size > entries.end and not same_tree:
        detail = f"the head says {head.size} entries, there are {entries.end}"
        findings.add(FindingKind.TAIL_TRUNCATED, ENTRIES, detail, row=entries.end)
        return
    if head.size < entries.end and not same_tree:
        detail = f"the head says {head.size} entries, there are {entries.end}"
        findings.add(FindingKind.ROW_ADDED, ENTRIES, detail, row=head.size)
        return
    if head.size != entries.end:
        findings.changed(
            HEADS, "size", HEAD_ID, f"the column says {head.size}, there are {entries.end} entries"
        )
    if not same_tree and entries.replay.whole:
        detail = f"it is not that over the entries; or entries from {entries.replay.proven} on were changed"
        findings.changed(HEADS, "frontier", HEAD_ID, detail)
    if head.high_water != entries.last_at:
        detail = f"the column says `{head.high_water}`, the last entry `{entries.last_at}`"
        findings.changed(HEADS, "high_water", HEAD_ID, detail)
