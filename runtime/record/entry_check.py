"""Every entry, held against its leaf: the columns, the payload, the order, the tree."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from runtime.errors import CanonicalError
from runtime.record.events import EventKind
from runtime.record.findings import FindingKind, Findings
from runtime.record.held.check import RowCheck
from runtime.record.leaf import COLUMNS, decode_fields
from runtime.record.merkle import leaf_hash
from runtime.record.note import NoteVerifier
from runtime.record.payload_check import KeyCheck, PayloadCheck, as_bytes
from runtime.record.replay import ENTRIES, Replay
from runtime.tables.log import LogEntryRow, LogPayloadRow

_ENTRY = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its tables
_PAYLOAD = LogPayloadRow.__table__.c  # type: ignore[attr-defined]
_CHUNK = 500
_DERIVED = ("seq", *COLUMNS)
_SAID = itemgetter(*_DERIVED)
_FIXED = 5

Progress = Callable[[int, int], None]


class EntryCheck:
    """Reads all entries once, in order."""

    def __init__(
        self,
        findings: Findings,
        roots: Mapping[int, Mapping[bytes, str]],
        verifier: NoteVerifier | None,
        rows: RowCheck,
    ) -> None:
        """Prepare.

        Args:
            findings: takes what is wrong.
            roots: for each size, the roots signed for it, with where each stands.
            verifier: the key that the log's first entry must name.
            rows: hears what entries say of the rows of other tables.
        """
        self.replay = Replay(findings)
        self.payloads = PayloadCheck(findings)
        self.keys = KeyCheck(findings)
        self.proven: set[tuple[int, bytes]] = set()
        self.last_at = ""
        self.end = 0
        self._findings = findings
        self._roots = roots
        self._verifier = verifier
        self._rows = rows

    def read(self, connection: Connection, total: int, progress: Progress) -> None:
        """Check every entry and every payload row.

        Args:
            connection: one consistent view.
            total: how many entries are expected, for `progress`.
            progress: called with done and total after each chunk.
        """
        for rows in _chunks(connection):
            for row in rows:
                self._check(row)
            self._rows.compare()
            progress(self.end, total)
        for seq, sealed in _orphans(connection):
            self.payloads.orphan(seq, sealed)
        self.payloads.finish()

    def _check(self, row: Row[Any]) -> None:
        leaf, stored_hash, key_id, sealed, seq = row[:_FIXED]
        if seq != self.end and not self._gap(seq):
            return
        try:
            self.replay.add(seq, leaf_hash(as_bytes(leaf)), as_bytes(stored_hash))
            fields = decode_fields(leaf)
            self._compare(seq, fields, row[_FIXED - 1 :])
            self.payloads.see(seq, fields["payload"], key_id, sealed)
            self._listen(seq, fields)
            self._rows.see(seq, fields)
            self.last_at = fields["at"]
        except (CanonicalError, KeyError, TypeError, ValueError) as error:
            self._findings.changed(ENTRIES, "leaf", seq, f"it cannot be read: {error}")
        self.end = seq + 1
        if self.end in self._roots:
            self._settle()

    def _compare(self, seq: int, fields: dict[str, Any], derived: Sequence[Any]) -> None:
        said = _SAID(fields)
        if said == derived:
            return
        for name, expected, got in zip(_DERIVED, said, derived, strict=True):
            if expected != got:
                detail = f"the column says {got!r}, the leaf {expected!r}"
                self._findings.changed(ENTRIES, name, seq, detail)

    def _gap(self, seq: int) -> bool:
        """Report entries that are out of the count; return whether the row itself can be read on."""
        if seq < self.end:
            self._findings.add(FindingKind.ROW_ADDED, ENTRIES, "no entry has such a number", row=seq)
            return False
        detail = (
            f"entry {self.end} is gone"
            if seq == self.end + 1
            else f"entries {self.end} to {seq - 1} are gone"
        )
        self._findings.add(FindingKind.ROW_DELETED, ENTRIES, detail, row=self.end)
        self.replay.skip()
        return True

    def _listen(self, seq: int, fields: dict[str, Any]) -> None:
        kind, data = fields["kind"], fields["data"]
        if kind == EventKind.KEY_CREATED:
            self.keys.created(data["id"], data["sha256"])
        elif kind == EventKind.PAYLOAD_PURGED:
            self.payloads.purge(data["first"], min(data["last"], seq - 1))
        elif kind == EventKind.LOG_OPENED and self._verifier is not None:
            self._same_key(data["verifier"])

    def _same_key(self, claimed: str) -> None:
        if claimed != str(self._verifier):
            detail = f"the log was begun with key {claimed}; expected {self._verifier}"
            self._findings.add(FindingKind.KEY_REPLACED, ENTRIES, detail, row=0)

    def _settle(self) -> None:
        for root, source in self._roots[self.end].items():
            if self.replay.settle(root, source):
                self.proven.add((self.end, root))


def _chunks(connection: Connection) -> Iterator[Any]:
    derived = [_ENTRY[name] for name in _DERIVED]
    query = (
        select(_ENTRY.leaf, _ENTRY.leaf_hash, _PAYLOAD.key_id, _PAYLOAD.sealed, *derived)
        .join_from(LogEntryRow, LogPayloadRow, _ENTRY.seq == _PAYLOAD.seq, isouter=True)
        .order_by(_ENTRY.seq)
        .execution_options(yield_per=_CHUNK)
    )
    return connection.execute(query).partitions()


def _orphans(connection: Connection) -> Iterator[tuple[int, bytes]]:
    query = (
        select(_PAYLOAD.seq, _PAYLOAD.sealed)
        .join_from(LogPayloadRow, LogEntryRow, _ENTRY.seq == _PAYLOAD.seq, isouter=True)
        .where(_ENTRY.seq.is_(None))
    )
    for row in connection.execute(query):
        yield row[0], row[1]
