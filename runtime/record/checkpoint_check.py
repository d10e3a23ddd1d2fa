"""Checkpoints, in the database and in the anchor, held against their key; and the roots they sign."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from runtime.errors import NoteError
from runtime.moments import utc_moment
from runtime.record.anchor import AnchoredLine
from runtime.record.checkpoint import Checkpoint, open_checkpoint
from runtime.record.findings import FindingKind, Findings
from runtime.record.note import NoteVerifier
from runtime.tables.log import LogCheckpointRow, LogEntryRow

ANCHOR = "anchor"
CHECKPOINTS = "log_checkpoint"

_ENTRY = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table
_ROW = LogCheckpointRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table


_STORED_BY: Final = timedelta(minutes=10)
"""When a process that goes on after a crash has long stored what only the anchor had."""


class CheckpointCheck:
    """Gathers every signed root, with where it stands.

    Attributes:
        roots: for each size the signed roots, with where each stands.
        anchored: the root that the anchor has for each size.
        torn: numbers of lines of the anchor that are torn.
        unstored: the size of the newest checkpoint, where the anchor alone has it. A crash came between the
            two, or its row was deleted: the same bytes. Its note is safe in the anchor, and the next start
            stores it again.
    """

    def __init__(self, findings: Findings, verifier: NoteVerifier) -> None:
        self.roots: dict[int, dict[bytes, str]] = defaultdict(dict)
        self.anchored: dict[int, bytes] = {}
        self.torn: list[int] = []
        self.unstored: int | None = None
        self._findings = findings
        self._verifier = verifier
        self._stored: set[int] = set()

    @property
    def anchored_size(self) -> int:
        """The most entries that an anchored checkpoint speaks of."""
        return max(self.anchored, default=0)

    def read_anchor(self, lines: Iterable[AnchoredLine]) -> None:
        """Check every line of the anchor."""
        for line in lines:
            if line.note is None:
                self.torn.append(line.number)
            else:
                self._take_anchored(line.number, line.note)

    def read_database(self, connection: Connection) -> None:
        """Check every row of the checkpoint table."""
        for size, root, note in connection.execute(
            select(_ROW.size, _ROW.root, _ROW.note).order_by(_ROW.size)
        ):
            self._take_stored(size, root, note)
        for size in sorted(self.anchored.keys() - self._stored):
            if size == self.anchored_size and not _went_on(connection, size):
                self.unstored = size
                continue
            detail = "the anchor has this checkpoint, the database does not"
            self._findings.add(FindingKind.ROW_DELETED, CHECKPOINTS, detail, row=size)

    def _take_anchored(self, number: int, note: str) -> None:
        checkpoint = self._open(ANCHOR, f"line {number}", note)
        if checkpoint is None:
            return
        self.anchored[checkpoint.size] = checkpoint.root
        self.roots[checkpoint.size].setdefault(checkpoint.root, f"anchor, line {number}")

    def _take_stored(self, size: int, root: bytes, note: str) -> None:
        checkpoint = self._open(CHECKPOINTS, size, note)
        if checkpoint is None:
            self._stored.add(size)
            return
        self._stored.add(checkpoint.size)
        if checkpoint.size != size:
            detail = f"the column says {size}, the note {checkpoint.size}"
            self._findings.changed(CHECKPOINTS, "size", size, detail)
        if checkpoint.root != root:
            self._findings.changed(CHECKPOINTS, "root", size, "it is not the root in the note")
        self.roots[checkpoint.size].setdefault(checkpoint.root, f"{CHECKPOINTS} {size}")

    def _open(self, where: str, row: int | str, note: str) -> Checkpoint | None:
        try:
            return open_checkpoint(self._verifier, note)
        except (NoteError, AttributeError, TypeError) as error:  # the last two: the column holds no text
            self._findings.add(FindingKind.CHECKPOINT_FORGED, where, str(error), column="note", row=row)
            return None


def _went_on(connection: Connection, size: int) -> bool:
    """Whether the log went on so long after a checkpoint that no crash explains why it is not stored."""
    beyond = select(func.min(_ENTRY.at), func.max(_ENTRY.at)).where(_ENTRY.seq >= size)
    first, last = connection.execute(beyond).one()
    try:
        return first is not None and utc_moment(last) - utc_moment(first) > _STORED_BY
    except (TypeError, ValueError):
        return False  # the check of the entries names what is no moment
