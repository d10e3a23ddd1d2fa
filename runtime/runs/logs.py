"""What runs write: from the engine while their boxes are there, from the record afterwards."""

import time
from collections.abc import Iterator

from runtime.record.ledger import Ledger
from runtime.runs import store
from runtime.runs.states import RunState, RunView
from sandboxes.driver import Box, Phase, SandboxDriver
from sandboxes.errors import SandboxError

LOG_KEPT_BYTES = 262_144
MARK_BYTES = 4096
LOOK_S = 1.0


class RunLogs:
    """The output of a node's runs. Every method blocks: call it from a thread."""

    def __init__(self, ledger: Ledger, driver: SandboxDriver, owner: str) -> None:
        """See `runtime.runs.machinery.Machinery`."""
        self._ledger = ledger
        self._driver = driver
        self._owner = owner

    def so_far(self, view: RunView) -> bytes:
        """Return what a run has written, or the kept tail once it has ended."""
        if view.state is RunState.ENDED:
            return self._kept(view.id)
        boxes = self._driver.list_boxes(self._owner) if view.box else ()
        found = next((box for box in boxes if box.id == view.box), None)
        return tail(self._driver.logs(found)) if found else b""

    def follow(self, box: Box, run: str) -> Iterator[bytes]:
        """Yield a live run's output until it ends.

        An engine may end the stream before the box ends, or before its last words, and it drops the oldest
        of a long output: what is left is asked for afterwards, from where the reader is.
        """
        place = Place()
        for piece in self._streamed(box):
            place.move(piece)
            yield piece
        is_live = True
        while is_live:
            is_live = self._is_live(box)
            if rest := place.rest(self._whole(box, run)):
                place.move(rest)
                yield rest
            time.sleep(LOOK_S if is_live else 0)

    def final(self, box: Box) -> str | None:
        """Return the tail of what a box wrote, as it is kept; None where the engine has lost it."""
        try:
            return tail(self._driver.logs(box)).decode(errors="replace")
        except SandboxError:
            return None

    def _streamed(self, box: Box) -> Iterator[bytes]:
        """Yield what the engine gives of a box while it is there; one that has ended may be gone already."""
        try:
            yield from self._driver.logs(box, follow=True)
        except SandboxError:
            if self._is_live(box):
                raise

    def _is_live(self, box: Box) -> bool:
        try:
            return self._driver.inspect(box).phase in (Phase.RUNNING, Phase.PAUSED)
        except SandboxError:
            return False

    def _whole(self, box: Box, run: str) -> bytes:
        """Return what is left of all that a box wrote, at the engine or on record."""
        try:
            return b"".join(self._driver.logs(box))
        except SandboxError:
            return self._kept(run)

    def _kept(self, run: str) -> bytes:
        with self._ledger.read() as connection:
            seq = store.ending_entry(connection, run)
        payload = self._ledger.entry(seq).payload if seq is not None else None
        return str(payload["log"]).encode() if payload else b""


class Place:
    """How far a reader has come in an output of which only the end may be left. Pure."""

    def __init__(self) -> None:
        self._given = 0
        self._first = b""
        self._last = b""

    def move(self, piece: bytes) -> None:
        """Go on by what was read."""
        self._given += len(piece)
        self._first = (self._first + piece)[:MARK_BYTES] if len(self._first) < MARK_BYTES else self._first
        self._last = (self._last + piece)[-MARK_BYTES:]

    def rest(self, left: bytes) -> bytes:
        """Return what the reader has not read of what is left of the output.

        Where the beginning is gone, so is the count: then what was read last is looked for. Where that is
        gone too, all is new; so it is to whoever has read little, as an engine drops much at once.
        """
        begins = left.startswith(self._first) and left[: self._given].endswith(self._last)
        if begins and len(left) >= self._given:
            return left[self._given :]
        before, last, after = left.rpartition(self._last)
        return after if last and self._given >= MARK_BYTES else before + last + after


def tail(pieces: Iterator[bytes]) -> bytes:
    """Return the end of an output, as much as is kept of it."""
    kept = bytearray()
    for piece in pieces:
        kept += piece
        del kept[:-LOG_KEPT_BYTES]
    return bytes(kept)
