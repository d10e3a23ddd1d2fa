"""What must agree before a log is written to: the keys, the database and the anchor."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from runtime.errors import LedgerIntegrityError, NoteError
from runtime.record.anchor import Anchor
from runtime.record.batch import Head
from runtime.record.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from runtime.record.note import NoteVerifier
from runtime.tables.log import LogCheckpointRow

_COLUMNS = LogCheckpointRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its table
_ADVICE = "stop here, run `handrail audit verify`, and restore the newest database"


@dataclass(frozen=True)
class Opened:
    """The newest checkpoint, and those of the anchor that a crash may have kept out of the database."""

    latest: Checkpoint | None
    missing: list[Checkpoint]


def missing_checkpoints(
    connection: Connection, head: Head | None, anchor: Anchor, verifier: NoteVerifier
) -> Opened:
    """Hold the database against its keys and its anchor.

    Raises:
        LedgerIntegrityError: the keys are of another log, the anchor is of another key, or the database is
            behind its anchor, that is, rolled back, replaced or deleted.
    """
    if head is not None and head.origin != verifier.name:
        raise LedgerIntegrityError(
            f"the database holds log `{head.origin}`, the keys are of `{verifier.name}`; "
            "restore the keys that belong to it"
        )
    _check_pin(anchor, verifier)
    stored = _newest_stored(connection)
    anchored = _anchored_from(anchor, verifier, 0 if stored is None else stored.size)
    _check_not_behind(head, stored, anchored)
    missing = [item for item in anchored if stored is None or item.size != stored.size]
    ahead = bool(missing) and (stored is None or missing[-1].size > stored.size)
    return Opened(missing[-1] if ahead else stored, missing)


def store_checkpoints(connection: Connection, checkpoints: Sequence[Checkpoint]) -> None:
    """Put checkpoints into the database, but for those that another node of the same log has put there."""
    for item in checkpoints:
        known = connection.execute(select(_COLUMNS.size).where(_COLUMNS.size == item.size)).first()
        if known is None:
            row = {"size": item.size, "root": item.root, "note": item.note}
            connection.execute(insert(LogCheckpointRow), row)


def _check_pin(anchor: Anchor, verifier: NoteVerifier) -> None:
    try:
        pinned = anchor.pinned()
    except NoteError as error:
        raise LedgerIntegrityError(f"{error}; {_ADVICE}") from error
    if pinned is not None and pinned != verifier:
        raise LedgerIntegrityError(
            f"the anchor was begun with key {pinned}, this log signs with {verifier}: one was replaced; "
            "restore the right keys, or set HANDRAIL_ANCHOR_DIR to an empty directory for a new log"
        )


def _newest_stored(connection: Connection) -> Checkpoint | None:
    query = select(_COLUMNS.note).order_by(_COLUMNS.size.desc()).limit(1)
    note = connection.execute(query).scalar()
    try:
        return None if note is None else parse_checkpoint(note)
    except NoteError as error:
        raise LedgerIntegrityError(
            f"the newest stored checkpoint is malformed: {error}; {_ADVICE}"
        ) from error


def _anchored_from(anchor: Anchor, verifier: NoteVerifier, size: int) -> list[Checkpoint]:
    """Return the anchored checkpoints of at least `size` entries, each size once, ascending.

    The newest one is always among them: a crash may have kept it out of a database in which other nodes
    have gone on since.
    """
    found: dict[int, Checkpoint] = {}
    newest: Checkpoint | None = None
    try:
        for line in anchor.lines():
            claimed = None if line.note is None else parse_checkpoint(line.note)
            if claimed is not None and (newest is None or claimed.size >= newest.size):
                newest = claimed
            if claimed is not None and claimed.size >= size:
                found[claimed.size] = open_checkpoint(verifier, claimed.note)
        if newest is not None and newest.size not in found:
            found[newest.size] = open_checkpoint(verifier, newest.note)
    except NoteError as error:
        raise LedgerIntegrityError(
            f"the anchor holds a checkpoint that is not ours: {error}; {_ADVICE}"
        ) from error
    return [found[key] for key in sorted(found)]


def _check_not_behind(head: Head | None, stored: Checkpoint | None, anchored: list[Checkpoint]) -> None:
    size = 0 if head is None else head.size
    if anchored and anchored[-1].size > size:
        raise LedgerIntegrityError(
            f"the database has {size} entries, its anchor proves {anchored[-1].size}: it was rolled back, "
            f"replaced or deleted; {_ADVICE}"
        )
    if stored is not None and any(item.size == stored.size and item.root != stored.root for item in anchored):
        raise LedgerIntegrityError(f"database and anchor differ at {stored.size} entries; {_ADVICE}")
