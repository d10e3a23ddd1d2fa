"""The anchor: where checkpoints go beside the database, so that a rolled-back database can be told.

It is a directory outside the state directory, best on another disk or host: `checkpoints`, one JSON line for
each signed note, only ever appended to; and `checkpoint.vkey`, the public key it was begun with. A line is
on disk before `append` returns.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runtime.errors import NoteError
from runtime.record.keys import VERIFIER_KEY
from runtime.record.note import NoteVerifier

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class AnchorState:
    """Whether checkpoints reach a place that the database's owner does not share, and why not."""

    anchored: bool
    reason: str

    def __str__(self) -> str:
        """Return the line that every command prints."""
        return f"anchored at {self.reason}" if self.anchored else f"UNANCHORED: {self.reason}"


@dataclass(frozen=True)
class AnchoredLine:
    """One line of the anchor; `note` is None when the line is torn or not ours."""

    number: int
    note: str | None


class Anchor(Protocol):
    """A sink for checkpoints."""

    def append(self, note: str) -> None:
        """Add a signed note, durable on return.

        Raises:
            OSError: it could not be added.
        """

    def lines(self) -> Iterator[AnchoredLine]:
        """Read back what was added, oldest first."""

    def pin(self, verifier: NoteVerifier) -> None:
        """Remember the key of this log, unless one is remembered."""

    def pinned(self) -> NoteVerifier | None:
        """Return the remembered key.

        Raises:
            NoteError: it is malformed.
        """

    def state(self) -> AnchorState:
        """Tell whether this sink protects anything."""


def anchor_state(anchor_dir: Path, state_dir: Path) -> AnchorState:
    """Tell whether a directory can be an anchor for what is in the state directory."""
    anchor, state = anchor_dir.resolve(), state_dir.resolve()
    if anchor == state or state in anchor.parents:
        return AnchorState(anchored=False, reason=f"{anchor_dir} is inside the state directory {state_dir}")
    if not anchor.is_dir():
        return AnchorState(anchored=False, reason=f"{anchor_dir} is missing; create it, best on another disk")
    if not os.access(anchor, os.R_OK | os.X_OK):
        return AnchorState(anchored=False, reason=f"{anchor_dir} cannot be read")
    return AnchorState(anchored=True, reason=str(anchor_dir))


class FileAnchor:
    """An anchor in a local directory."""

    def __init__(self, anchor_dir: Path, state_dir: Path) -> None:
        self._directory = anchor_dir
        self._state_dir = state_dir
        self._file = anchor_dir / CHECKPOINTS
        self._key = anchor_dir / VERIFIER_KEY

    def append(self, note: str) -> None:
        """Add a signed note, durable on return.

        Raises:
            OSError: it could not be added.
        """
        line = json.dumps({"note": note}, ensure_ascii=False) + "\n"
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _write_line(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lines(self) -> Iterator[AnchoredLine]:
        """Read back what was added, oldest first; nothing when there is no file."""
        with suppress(FileNotFoundError), self._file.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                yield AnchoredLine(number, _note_in(line))

    def pin(self, verifier: NoteVerifier) -> None:
        """Remember the key of this log, unless one is remembered.

        Raises:
            OSError: it could not be written.
        """
        with suppress(FileExistsError), self._key.open("x", encoding="ascii") as file:
            file.write(f"{verifier}\n")
            file.flush()
            os.fsync(file.fileno())

    def pinned(self) -> NoteVerifier | None:
        """Return the remembered key; None when there is none.

        Raises:
            NoteError: it is malformed.
        """
        try:
            return NoteVerifier.parse(self._key.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise NoteError(f"the anchor's key {self._key} cannot be read: {error}") from error

    def state(self) -> AnchorState:
        """Tell whether this directory protects anything."""
        return anchor_state(self._directory, self._state_dir)


def _write_line(descriptor: int, line: bytes) -> None:
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        line = b"\n" + line  # the last line was torn by a crash; begin on a new one
    written = os.write(descriptor, line)
    if written != len(line):
        raise OSError(f"only {written} of {len(line)} bytes reached the anchor; is its disk full?")


def _note_in(line: str) -> str | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    note = value.get("note") if isinstance(value, dict) else None
    return note if isinstance(note, str) else None
