"""From settings to a ledger: the directories, the keys, the database, the anchor."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Engine, select

from runtime.clock import Clock, NewId, new_id, random_bytes, utc_now
from runtime.db import database_file, open_engine, parse_url, reading, shown
from runtime.errors import KeyFileError, LedgerIntegrityError, SettingsError
from runtime.record.anchor import AnchorState, FileAnchor, anchor_state
from runtime.record.keys import Keys, create_keys, keys_exist, load_keys
from runtime.record.ledger import Ledger, Limits
from runtime.schema import database_version, upgrade
from runtime.settings import Settings
from runtime.tables.log import LogEntryRow


def prepare_state(
    settings: Settings, *, names: NewId = new_id, random: Callable[[int], bytes] = random_bytes
) -> AnchorState:
    """Make what a new record needs: state directory, anchor directory, keys. Twice does no harm.

    An anchor directory that cannot be made is not an error: the answer says so, and so does every command.

    Raises:
        SettingsError: the state directory cannot be made.
        KeyFileError: the keys are unusable, or gone while their database is still there.
        DatabaseError: the database cannot be reached.
    """
    _make_private(settings.state_dir)
    if keys_exist(settings.keys_dir):
        load_keys(settings.keys_dir)
    else:
        _refuse_orphan(settings)
        create_keys(settings.keys_dir, new_id=names, random=random)
    with suppress(OSError):  # the state that is returned says what is wrong
        settings.anchor_dir.mkdir(parents=True, exist_ok=True)
    return anchor_state(settings.anchor_dir, settings.state_dir)


def open_ledger(settings: Settings, *, clock: Clock = utc_now, limits: Limits | None = None) -> Ledger:
    """Open the record of a prepared state directory for writing, its database brought up to date.

    Raises:
        KeyFileError: its keys are missing or unusable; `prepare_state` makes them for a new record.
        DatabaseError: the database cannot be opened or upgraded.
        LedgerBusyError: another process writes this state directory, or is anchored where this is.
        LedgerIntegrityError: keys, anchor and database do not belong together, or the database is gone.
    """
    keys: Keys = load_keys(settings.keys_dir)
    anchor = FileAnchor(settings.anchor_dir, settings.state_dir)
    _refuse_lost(settings, anchor)
    engine = open_engine(settings.database)
    upgrade(engine)
    lock = _anchor_lock(settings)
    return Ledger(engine, keys, anchor, clock, lock_file=settings.lock_file, anchor_lock=lock, limits=limits)


def _anchor_lock(settings: Settings) -> Path | None:
    """The file that keeps copies of a record apart; nodes of one PostgreSQL database may share an anchor."""
    is_file = database_file(parse_url(settings.database)) is not None
    return settings.anchor_dir / "lock" if is_file and os.access(settings.anchor_dir, os.W_OK) else None


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)  # one that was there before, such as a volume, may be open to others
    except OSError as error:
        raise SettingsError(
            f"state directory {directory} cannot be made: {error.strerror}; "
            "run as a user who may, or set HANDRAIL_STATE_DIR"
        ) from error


def _refuse_orphan(settings: Settings) -> None:
    database = open_engine(settings.database)
    try:
        orphan = database_version(database) is not None and _has_entries(database)
    finally:
        database.dispose()
    if orphan:
        raise KeyFileError(
            f"database {shown(settings.database)} has a record and {settings.keys_dir} has no keys; "
            "restore them, or copy them from the node that has them: new keys would end this record"
        )


def _refuse_lost(settings: Settings, anchor: FileAnchor) -> None:
    """Make no new database where one is gone: its write-ahead log, with the newest entries, would go too."""
    file = database_file(parse_url(settings.database))
    if file is None or file.exists():
        return
    beside = file.with_name(f"{file.name}-wal")
    anchored = next(anchor.lines(), None) is not None
    if anchored or beside.exists():
        proof = f"the anchor {settings.anchor_dir}" if anchored else str(beside)
        raise LedgerIntegrityError(
            f"database {file} is gone, and {proof} shows that there was one: it was deleted or moved; "
            f"restore the newest one, leave {beside.name} where it is, and run `handrail audit verify`"
        )


def _has_entries(database: Engine) -> bool:
    with reading(database) as connection:
        return connection.execute(select(LogEntryRow).limit(1)).first() is not None
