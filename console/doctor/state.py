"""The state directory: who can read it, whether the record is anchored, and whether there is room."""

import shutil
import stat
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from console.doctor.finding import Finding, Level, good
from runtime.db import open_existing, reading, shown, words_of
from runtime.errors import KernelError
from runtime.moments import utc_moment
from runtime.record.anchor import anchor_state
from runtime.record.keys import load_keys
from runtime.record.writer import CLOCK_TOLERANCE
from runtime.settings import Settings
from runtime.tables.log import LogHeadRow

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LEAST_BYTES = 256 * 2**20
_FEW_BYTES = 2 * 2**30
_INIT = "handrail init --person NAME=KEYFILE.pub"


def examine_state(settings: Settings, *, now: datetime) -> list[Finding]:
    """Look at the state directory and its record."""
    if not settings.state_dir.is_dir():
        return [Finding("state directory", Level.FAIL, f"{settings.state_dir} does not exist", _INIT)]
    found = [_modes(settings), _keys(settings), _anchor(settings), _disk(settings.state_dir)]
    return [*found, _record(settings, now=now)]


def _modes(settings: Settings) -> Finding:
    paths = [settings.state_dir, settings.keys_dir, *sorted(settings.keys_dir.glob("*.key"))]
    open_ones = [path for path in paths if path.exists() and path.stat().st_mode & _OTHERS]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        said = f"open to other users: {names}"
        return Finding("state directory", Level.FAIL, said, f"chmod go= {names}")
    return good("state directory", f"{settings.state_dir}, closed to other users")


def _keys(settings: Settings) -> Finding:
    try:
        keys = load_keys(settings.keys_dir)
    except KernelError as error:
        return Finding("keys", Level.FAIL, str(error), f"restore them from a backup, or begin anew: {_INIT}")
    return good("keys", f"of {keys.signer.verifier.name}")


def _anchor(settings: Settings) -> Finding:
    state = anchor_state(settings.anchor_dir, settings.state_dir)
    if not state.anchored:
        return Finding(
            "anchor", Level.FAIL, str(state), "set HANDRAIL_ANCHOR_DIR to a directory on another disk"
        )
    if settings.anchor_dir.stat().st_dev == settings.state_dir.stat().st_dev:
        said = f"{state}, on the same disk as the state directory"
        return Finding("anchor", Level.WARN, said, "better another disk or host: set HANDRAIL_ANCHOR_DIR")
    return good("anchor", str(state))


def _disk(directory: Path) -> Finding:
    free = shutil.disk_usage(directory).free
    said = f"{free / 2**30:.1f} GiB free at {directory}"
    if free >= _FEW_BYTES:
        return good("disk", said)
    level = Level.FAIL if free < _LEAST_BYTES else Level.WARN
    return Finding("disk", level, f"{said}; without room for the record every action is denied", "make room")


def _record(settings: Settings, *, now: datetime) -> Finding:
    try:
        with reading(open_existing(settings.database)) as connection:
            return _head(connection, now=now)
    except KernelError as error:
        return Finding("record", Level.FAIL, str(error), "handrail audit verify")
    except DBAPIError as error:
        said = f"{shown(settings.database)} cannot be read: {words_of(error)}"
        return Finding("record", Level.FAIL, said, "handrail audit verify")


def _head(connection: Connection, *, now: datetime) -> Finding:
    columns = LogHeadRow.__table__.c  # type: ignore[attr-defined]  # SQLModel does not type its tables
    head = connection.execute(select(columns.size, columns.high_water)).one_or_none()
    if head is None:
        return Finding("record", Level.FAIL, "the log has not begun", _INIT)
    last = utc_moment(head.high_water)
    if now + CLOCK_TOLERANCE < last:
        behind = (last - now).total_seconds()
        said = (
            f"the clock is {behind:.0f} s behind the record, whose last entry is of {head.high_water[:19]}Z: "
            "until it has caught up, runs are denied as not live and grants end early"
        )
        step = "set the clock right (chronyc tracking, timedatectl); if the record is wrong, wait until then"
        return Finding("record", Level.FAIL, said, step)
    return good("record", f"{head.size} entries, the last at {head.high_water[:19]}Z")
