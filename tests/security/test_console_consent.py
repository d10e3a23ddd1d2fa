"""A key pressed before the whole card was shown says nothing. Played at a real terminal."""

import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path

import pytest

from tests.standins.counter import Counter, open_counter
from tests.standins.towns import SVEN

ROWS = 8
MORE = "-- more: Enter --"
ASKED = "[y/N]:"


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Counter]:
    with open_counter(tmp_path, capsys) as opened:
        yield opened


class Terminal:
    """A small terminal with `handrail` in it."""

    def __init__(self, words: list[str]) -> None:
        self._fd, child = pty.openpty()
        ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, 100, 0, 0))
        self.press("y\ny\ny\n")  # typed ahead, before anything was shown
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console", *words], stdin=child, stdout=child, stderr=child
        )
        os.close(child)
        self.shown = ""
        self.pages = 0

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def converse(self, answer: str) -> int:
        """Turn every page, answer the question, and return the exit code."""
        fresh = ""
        while piece := self._read():
            fresh += piece
            if MORE in fresh:
                self.pages += 1
                fresh = fresh.partition(MORE)[2]
                self.press("\n")
            elif ASKED in fresh:
                fresh = ""
                self.press(answer)
        os.close(self._fd)
        return self._process.wait()

    def _read(self) -> str:
        try:
            piece = os.read(self._fd, 65536).decode(errors="replace")
        except OSError:  # how Linux tells the end of a pseudo-terminal
            return ""
        self.shown += piece
        return piece


def _approving(counter: Counter) -> tuple[Terminal, str]:
    counter.begin(counter.shop.act("read_folder", {"folder": "secret"}))
    hold = counter.waiting()
    words = ["approvals", "approve", hold, "--socket", str(counter.socket), "--key", str(counter.key(SVEN))]
    return Terminal(words), hold


def test_a_yes_typed_ahead_is_thrown_away_and_the_question_comes_after_the_last_line(
    counter: Counter,
) -> None:
    terminal, hold = _approving(counter)

    code = terminal.converse("n\n")

    assert (code, terminal.pages) == (3, 3), terminal.shown
    assert "nothing was signed" in terminal.shown
    assert terminal.shown.index("digest ") < terminal.shown.index("Approve exactly this, as sven?")
    assert counter.ask("approvals", "show", hold)["state"] == "waiting"


def test_a_yes_after_the_last_line_signs(counter: Counter) -> None:
    terminal, hold = _approving(counter)

    code = terminal.converse("y\n")

    assert code == 0
    assert counter.ask("approvals", "show", hold)["state"] in {"approved", "used"}
