"""Verify: read the database and the anchor, trust neither, and say what is wrong.

It needs no `serve` and no secret key. In order:

1. The anchor is read before the database: it is never ahead of the disk, so a checkpoint beyond the last
   entry means that the database was rolled back, replaced or truncated.
2. The key is the one given, else the one pinned in the anchor, else (unanchored) the one the database claims.
3. Every entry is read once, in order: columns and payload row against the leaf, leaf against `leaf_hash`,
   the rebuilt tree against the root of every signed checkpoint on the way.
4. The head, the stored checkpoints, the data keys and the rows of all other tables are compared with what the
   entries say they must be (`runtime.record.held`).

Memory grows with the number of checkpoints (some 300 bytes for 256 entries) and with what is still open, not
with that of entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from runtime.db import is_undecodable, open_existing, reading, words_of
from runtime.errors import CanonicalError, DatabaseError, NoteError
from runtime.record.anchor import Anchor, AnchoredLine, FileAnchor
from runtime.record.checkpoint_check import ANCHOR, CheckpointCheck
from runtime.record.entry_check import EntryCheck, Progress
from runtime.record.findings import FindingKind, Findings, VerifyReport
from runtime.record.head_check import check_head, read_heads
from runtime.record.held.check import RowCheck
from runtime.record.keys import VERIFIER_KEY
from runtime.record.leaf import decode_leaf
from runtime.record.note import NoteVerifier
from runtime.record.replay import ENTRIES
from runtime.settings import Settings
from runtime.tables.log import LogDataKeyRow, LogEntryRow

_DATABASE = "database"
_KEYS = "keys"

_ENTRY = LogEntryRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its tables
_DATA_KEY = LogDataKeyRow.__table__.c  # type: ignore[attr-defined]


@dataclass
class _State:
    """What is known so far."""

    lines: Sequence[AnchoredLine]
    verifier: NoteVerifier | None
    findings: Findings
    warnings: list[str] = field(default_factory=list)
    checkpoints: CheckpointCheck | None = None
    entries: EntryCheck | None = None


def verify_state(
    settings: Settings, *, key: NoteVerifier | None = None, progress: Progress | None = None
) -> VerifyReport:
    """Check the record of a state directory, its public key file included; see `verify`."""
    findings = Findings()
    own = _own_key(settings, findings)
    anchor = FileAnchor(settings.anchor_dir, settings.state_dir)
    return verify(settings.database, anchor, key=key, own=own, progress=progress, findings=findings)


def verify(
    database_url: str,
    anchor: Anchor,
    *,
    key: NoteVerifier | None = None,
    own: NoteVerifier | None = None,
    progress: Progress | None = None,
    findings: Findings | None = None,
) -> VerifyReport:
    """Check a record.

    Args:
        database_url: where it is; opened read-only.
        anchor: where its checkpoints went.
        key: the public key its checkpoints must be signed with, where the caller knows it from elsewhere.
        own: the public key that the state directory holds; it must be the same.
        progress: called with the number of entries done and expected.
        findings: what was found before.

    Returns:
        the report; a record that cannot be read is a finding, not an error.
    """
    found = findings or Findings()
    before = _State(_lines(anchor, found), _trusted_key(anchor, key, own, found), found)
    state = _examined(before, database_url, progress or _silent)
    _check_not_behind(state)
    return _report(state, anchor)


def _examined(before: _State, database_url: str, progress: Progress, *, lenient: bool = False) -> _State:
    """Read the database; a text in it that is no UTF-8 makes a second look necessary, which is slower."""
    state = replace(before, findings=before.findings.copy(), warnings=[])
    try:
        engine = open_existing(database_url, lenient=lenient)
        try:
            with reading(engine) as connection:
                _read(state, connection, progress)
        finally:
            engine.dispose()
    except (DatabaseError, DBAPIError) as error:
        if is_undecodable(error) and not lenient:
            return _examined(before, database_url, progress, lenient=True)
        state.findings.add(FindingKind.UNREADABLE, _DATABASE, words_of(error))
    return state


def _lines(anchor: Anchor, findings: Findings) -> list[AnchoredLine]:
    try:
        return list(anchor.lines())
    except OSError as error:
        findings.add(FindingKind.UNREADABLE, ANCHOR, f"{error.filename}: {error.strerror}")
        return []


def _silent(_done: int, _total: int) -> None:
    """Show no progress."""


def _own_key(settings: Settings, findings: Findings) -> NoteVerifier | None:
    path = settings.keys_dir / VERIFIER_KEY
    try:
        return NoteVerifier.parse(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, NoteError) as error:
        findings.add(FindingKind.UNREADABLE, _KEYS, f"{path}: {error}")
        return None


def _trusted_key(
    anchor: Anchor, key: NoteVerifier | None, own: NoteVerifier | None, findings: Findings
) -> NoteVerifier | None:
    try:
        pinned = anchor.pinned()
    except NoteError as error:
        findings.add(FindingKind.UNREADABLE, ANCHOR, str(error))
        pinned = None
    trusted = key or pinned
    for where, other in ((ANCHOR, pinned), (_KEYS, own)):
        if trusted is not None and other is not None and other != trusted:
            findings.add(FindingKind.KEY_REPLACED, where, f"it holds key {other}; expected {trusted}")
    return trusted


def _read(state: _State, connection: Connection, progress: Progress) -> None:
    heads = read_heads(connection)
    if state.verifier is None:
        state.warnings.append("no key is pinned: checkpoints are checked with the key the database names")
        state.verifier = _claimed_key(connection, state.findings)
    if state.verifier is not None:
        state.checkpoints = CheckpointCheck(state.findings, state.verifier)
        state.checkpoints.read_anchor(state.lines)
        state.checkpoints.read_database(connection)
    roots = {} if state.checkpoints is None else state.checkpoints.roots
    rows = RowCheck(connection, state.findings)
    entries = EntryCheck(state.findings, roots, state.verifier, rows)
    state.entries = entries
    entries.read(connection, heads[0].size if heads else 0, progress)
    wrapped = connection.execute(select(_DATA_KEY.id, _DATA_KEY.wrapped))
    entries.keys.finish({row.id: row.wrapped for row in wrapped})
    check_head(heads, entries, "" if state.verifier is None else state.verifier.name, state.findings)
    rows.finish()


def _claimed_key(connection: Connection, findings: Findings) -> NoteVerifier | None:
    leaf = connection.execute(select(_ENTRY.leaf).order_by(_ENTRY.seq).limit(1)).scalar()
    try:
        return None if leaf is None else NoteVerifier.parse(str(decode_leaf(leaf).data.get("verifier")))
    except (CanonicalError, NoteError) as error:
        findings.add(FindingKind.UNREADABLE, ENTRIES, f"the first entry names no key: {error}", row=0)
        return None


def _check_not_behind(state: _State) -> None:
    if state.checkpoints is None and state.verifier is not None:  # the database could not be read at all
        state.checkpoints = CheckpointCheck(state.findings, state.verifier)
        state.checkpoints.read_anchor(state.lines)
    anchored = 0 if state.checkpoints is None else state.checkpoints.anchored_size
    end = 0 if state.entries is None else state.entries.end
    if anchored > end:
        detail = f"the anchor proves {anchored} entries, the database has {end}"
        state.findings.add(FindingKind.ROLLED_BACK, _DATABASE, detail)


def _report(state: _State, anchor: Anchor) -> VerifyReport:
    checks, entries = state.checkpoints, state.entries
    torn = [] if checks is None else [f"line {number} of the anchor is torn" for number in checks.torn]
    if checks is not None and checks.unstored is not None:
        torn.append(
            f"checkpoint {checks.unstored} stands in the anchor alone; the next start stores it again"
        )
    proven = set() if checks is None or entries is None else entries.proven & set(checks.anchored.items())
    return VerifyReport(
        origin="" if state.verifier is None else state.verifier.name,
        verifier="" if state.verifier is None else str(state.verifier),
        entries=0 if entries is None else entries.end,
        root="" if entries is None else entries.replay.root.hex(),
        checkpoints=0 if entries is None else len(entries.proven),
        anchored_entries=max((size for size, _ in proven), default=0),
        purged_payloads=0 if entries is None else entries.payloads.purged,
        anchor=anchor.state(),
        findings=tuple(state.findings.items),
        findings_omitted=state.findings.omitted,
        warnings=(*state.warnings, *torn),
    )
