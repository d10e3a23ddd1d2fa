"""The review loop at a real terminal: no key counts before the whole card was shown, and none judges two."""

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.standins.counter import Counter, open_counter
from tests.standins.evidence import with_profile
from tests.standins.towns import SVEN

MORE = "-- more: Enter --"
BLIND = "What would you do? (q quits) "
KEYS = "q quit "
PATIENCE_SECONDS = 30
PAUSE_SECONDS = 0.3
WHY = "because (empty: choose again): "


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Counter]:
    with open_counter(tmp_path, capsys) as opened:
        with_profile(opened.shop.town)
        for message in ("m1", "m2"):
            opened.act("set_label", message_id=message, label="good")
        opened.shop.town.later(seconds=1)
        yield opened


class Loop:
    """A terminal with the review loop in it."""

    def __init__(self, counter: Counter, *, rows: int = 40, ahead: str = "") -> None:
        self._fd, child = pty.openpty()
        ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 100, 0, 0))
        self.press(ahead)
        words = ["suggestions", "review", "--socket", str(counter.socket), "--key", str(counter.key(SVEN))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console", *words], stdin=child, stdout=child, stderr=child
        )
        os.close(child)
        self.shown = ""
        self._fresh = ""

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def wait_for(self, prompt: str, *, pages: bool = True) -> str:
        """Read until a prompt; turn pages on the way. Return what was shown since the last one."""
        while prompt not in self._fresh:
            assert self._readable(PATIENCE_SECONDS), f"{prompt!r} did not come:\n{self.shown}"
            piece = os.read(self._fd, 65536).decode(errors="replace")
            self.shown += piece
            self._fresh += piece
            if pages and MORE in self._fresh:
                self._fresh = self._fresh.replace(MORE, "", 1)
                self.press("\n")
        before, _, self._fresh = self._fresh.partition(prompt)
        return before

    def press_until(self, key: str, prompt: str) -> None:
        """Press one key again and again, with a pause between, until a prompt comes."""
        while prompt not in self._fresh:
            self.press(key)
            while self._readable(PAUSE_SECONDS):
                self._fresh += os.read(self._fd, 65536).decode(errors="replace")
        self._fresh = self._fresh.partition(prompt)[2]

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._fd], [], [], seconds)[0])

    def end(self) -> int:
        """Read to the end; return the exit code."""
        try:
            while self._readable(PATIENCE_SECONDS) and (piece := os.read(self._fd, 65536)):
                self.shown += piece.decode(errors="replace")
        except OSError:  # how Linux tells the end of a pseudo-terminal
            pass
        os.close(self._fd)
        return self._process.wait(PATIENCE_SECONDS)


def _verdicts(counter: Counter) -> list[str]:
    return [row[0] for row in counter.shop.rows("SELECT verdict FROM judgement ORDER BY judged_at")]


def test_the_loop_asks_blind_first_then_takes_one_key_for_each_item(counter: Counter) -> None:
    loop = Loop(counter)
    blind = loop.wait_for(BLIND)
    loop.press("label it good\n")
    opened = loop.wait_for(KEYS)
    loop.press("xaa")  # several keys at once are no verdict
    loop.press_until("a", WHY)
    loop.press("as I would\n")
    second = loop.wait_for(KEYS)
    loop.press("d")
    loop.wait_for(WHY)
    loop.press("\n")  # no reason: chosen again
    loop.wait_for(KEYS)
    loop.press("u")
    loop.wait_for(WHY)
    loop.press("nobody can tell\n")

    assert loop.end() == 0
    assert "item 1 of 2" in blind
    assert "good" not in blind
    assert 'label: "good"' in opened
    assert "you said you would: label it good" in opened
    assert "item 2 of 2" in second
    assert "judged 2, nothing waits for you" in loop.shown
    assert _verdicts(counter) == ["agree", "unclear"]


def test_keys_typed_ahead_and_keys_held_down_judge_nothing(counter: Counter) -> None:
    """An approval key stays inert until the whole card was shown."""
    loop = Loop(counter, rows=8, ahead="a\na\naaaa\n")
    loop.wait_for(MORE, pages=False)
    loop.press("aaaa\n")  # between two pages
    loop.wait_for(BLIND)
    assert _verdicts(counter) == []
    loop.press("label it\n")
    loop.wait_for(KEYS)
    loop.press("q")

    assert loop.end() == 0
    assert _verdicts(counter) == []
    assert "judged 0, 2 still wait for you" in loop.shown


@pytest.mark.parametrize("how", ["q", "\x04", "interrupt"])
def test_quitting_loses_nothing(counter: Counter, how: str) -> None:
    loop = Loop(counter)
    loop.wait_for(BLIND)
    loop.press("label it\n")
    loop.wait_for(KEYS)
    if how == "interrupt":  # what Ctrl-C sends
        loop.interrupt()
    else:
        loop.press(how)

    assert loop.end() == 0
    assert "judged 0, 2 still wait for you" in loop.shown
    assert counter.shop.rows("SELECT count(*) FROM statement WHERE type = 'expectation'")[0][0] == 1
