"""What one run can do with its memory: list, read, write and delete. Blocking; call it from a thread.

A run reads the version that was recorded at its request, and once it has written, its own draft in place of
it. Every reading checks the record again, so a quarantine bites at the next one.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection

from profiles.schema import MemoryUpstream
from profiles.setting import Setting
from runtime.clock import Clock, NewId
from runtime.deployments import Deployment
from runtime.memory import drafts, rows
from runtime.memory.errors import AgentMemoryError
from runtime.memory.files import MemoryFiles
from runtime.memory.home import Home, current, home_of
from runtime.memory.loading import loaded
from runtime.memory.model import Entry, Version, VersionState, text_digest
from runtime.memory.taint import taint_of
from runtime.people.policies import PolicyBook
from runtime.record.ledger import Ledger

T = TypeVar("T")
MAX_NAME = 128
_LEFT_OVER = timedelta(days=1)


class NotStoredError(AgentMemoryError):
    """The memory does not take it: too much, or a name that no entry can have."""


@dataclass(frozen=True)
class MemoryBook:
    """The memories of an installation.

    Attributes:
        ledger: the record.
        policies: who counts now.
        files: where the texts lie.
        clock: the present moment.
        new_id: names new versions.
        lock: whatever changes a memory waits its turn.
    """

    ledger: Ledger
    policies: PolicyBook
    files: MemoryFiles
    clock: Clock
    new_id: NewId
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def of(self, run: str) -> "RunMemory":
        """Return the memory of one run."""
        return RunMemory(self, run)

    def check(self, deployment: Deployment, setting: Setting) -> None:
        """Read all that a run of a deployment would read, as it lies there.

        Raises:
            AgentMemoryError: it is quarantined, or whoever adopted it counts no more.
            MemoryAlteredError: it is not what was recorded.
        """
        with self.ledger.read() as conn:
            roster = self.policies.current(conn).roster
            version = loaded(conn, deployment, setting, roster=roster)
        if version is not None:
            self.files.check(version)


class RunMemory:
    """The memory of one run."""

    def __init__(self, book: MemoryBook, run: str) -> None:
        """See `MemoryBook.of`."""
        self._book = book
        self._run = run

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries that the run can read, by name."""
        version = self._read(self._now)
        return () if version is None else version.entries

    def read(self, name: str) -> str | None:
        """Return the text of an entry, or None.

        Raises:
            AgentMemoryError: the version may not be read any more, or was altered by hand.
        """
        version = self._read(self._now)
        entry = None if version is None else version.entry(name)
        return None if version is None or entry is None else self._book.files.read(version, entry)

    def write(self, name: str, text: str, *, action: str, limits: MemoryUpstream) -> None:
        """Write an entry into the run's draft, with where it came from.

        Args:
            name: of the entry, at most 128 printable characters.
            text: what it says.
            action: the action that this carries out.
            limits: the most that the memory may hold.

        Raises:
            NotStoredError: it is more than that, or the name cannot be used.
            AgentMemoryError: the version may not be read any more, or was altered by hand.
        """
        _check_text(text)
        with self._book.lock:
            home, draft = self._read(self._drafted)
            entry = self._entry(home, draft, name, text, action)
            _check_limits(draft, entry, limits)
            self._prepare(home, draft)
            self._book.files.write(home.agent, home.setting, draft.id, name, text)
            unit = lambda tx: drafts.write(tx, draft, entry, deployment=home.deployment)  # noqa: E731 - a unit
            self._book.ledger.write_sync(unit)
            self._sweep(draft.id)

    def delete(self, name: str, *, action: str) -> bool:
        """Remove an entry from the run's draft; false if there is none of this name."""
        with self._book.lock:
            home, draft = self._read(self._drafted)
            entry = draft.entry(name)
            if entry is None:
                return False
            self._prepare(home, draft)
            unit = lambda tx: drafts.delete(  # noqa: E731 - a unit
                tx, draft, entry, action=action, deployment=home.deployment
            )
            self._book.ledger.write_sync(unit)
            self._sweep(draft.id)
            return True

    def _home(self, conn: Connection) -> Home:
        return home_of(conn, self._run, roster=self._book.policies.current(conn).roster)

    def _now(self, conn: Connection) -> Version | None:
        return current(conn, self._home(conn))

    def _drafted(self, conn: Connection) -> tuple[Home, Version]:
        """Return the run's draft as it is, or as it would begin."""
        home = self._home(conn)
        now = current(conn, home)
        if now is not None and now.state is VersionState.DRAFT:
            return home, now
        draft = Version(
            id=self._book.new_id("mem"),
            agent=home.agent,
            setting=home.setting,
            parent=None if now is None else now.id,
            run=self._run,
            state=VersionState.DRAFT,
            digest=None,
            made_at=self._book.clock(),
            log_seq=0,
            entries=() if now is None else now.entries,
        )
        return home, draft

    def _entry(self, home: Home, draft: Version, name: str, text: str, action: str) -> Entry:
        began = home.base.entries if home.base is not None else ()
        untrusted = any(entry.is_untrusted for entry in (*began, *draft.entries))
        taint = self._read(lambda c: taint_of(c, self._run, home.profile, memory_is_untrusted=untrusted))
        return Entry(
            name=name,
            sha256=text_digest(text),
            size=len(text.encode()),
            action=action,
            run=self._run,
            taint=taint,
            written_at=self._book.clock(),
        )

    def _prepare(self, home: Home, draft: Version) -> None:
        """Put what a new draft begins with into its own directory."""
        kept = self._read(lambda conn: rows.ids(conn, home.agent, home.setting))
        if draft.id in kept:
            return
        self._book.files.keep(home.agent, home.setting, kept, before=self._book.clock() - _LEFT_OVER)
        if draft.parent is None:
            return
        source = self._read(lambda conn: rows.find(conn, str(draft.parent)))
        if source is not None:
            self._book.files.copy(source, draft.id)

    def _sweep(self, draft: str) -> None:
        now = self._read(lambda conn: rows.find(conn, draft))
        if now is not None:
            self._book.files.sweep(now)

    def _read(self, question: Callable[[Connection], T]) -> T:
        with self._book.ledger.read() as conn:
            return question(conn)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotStoredError("a text with half a pair of surrogates, expected Unicode") from error


def _check_limits(draft: Version, entry: Entry, limits: MemoryUpstream) -> None:
    if not entry.name or len(entry.name) > MAX_NAME or not entry.name.isprintable():
        raise NotStoredError(
            f"a name of {len(entry.name)} characters, expected 1 to {MAX_NAME} printable ones"
        )
    others = [one for one in draft.entries if one.name != entry.name]
    if entry.size > limits.entry_kib * 1024:
        raise NotStoredError(f"a text of {entry.size} bytes, expected at most {limits.entry_kib} KiB")
    if len(others) >= limits.entries:
        raise NotStoredError(f"{len(others)} entries already, expected at most {limits.entries}")
    if sum(one.size for one in others) + entry.size > limits.size_kib * 1024:
        raise NotStoredError(f"more than {limits.size_kib} KiB in all")
