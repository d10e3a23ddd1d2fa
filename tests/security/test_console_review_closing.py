"""Closing a review at a real terminal: whatever is typed ahead answers nothing, and each pattern is asked."""

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

from runtime.record.events import Event, EventKind
from tests.standins.counter import Counter, open_counter
from tests.standins.deployed import deployed
from tests.standins.reviewing import RUN, began
from tests.standins.towns import ROSA
from tests.standins.workshop import PROFILE

MORE = "-- more: Enter --"
SIGN = "[y/N]:"
ANSWERS = {
    "unexplained: ": "explained\n",
    "why ": "the tool was renamed\n",
    "shifting? ": "no\n",
    "specified? ": "no\n",
}


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Counter]:
    """A counter with an agent whose periodic review is printed; it was denied something."""
    with open_counter(tmp_path, capsys) as opened:
        town = opened.shop.town
        town.tamper("UPDATE deployment SET profile_text = :profile", profile=PROFILE)
        deployment = deployed(town, "clerk")
        began(town, "clerk", deployment)
        denied = Event(
            kind=EventKind.ACTION_DECISION,
            at=town.now,
            agent="clerk",
            deployment=deployment,
            run=RUN,
            data={"answer": "deny", "name": None, "reasons": ["unknown_tool"]},
        )
        town.write(lambda tx: tx.append(denied))
        town.later(minutes=1)
        opened.type("review", "run")
        yield opened


def printed(counter: Counter) -> str:
    rows = counter.ask("review", "list", "--agent", "clerk")["reviews"]
    review = next(str(row["review"]) for row in rows if row["kind"] == "periodic")
    counter.ask("review", "run", review)
    return review


class Terminal:
    """A small terminal with `handrail review close` in it, and keys pressed before anything was shown."""

    def __init__(self, counter: Counter, review: str) -> None:
        self._fd, child = pty.openpty()
        ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 100, 0, 0))
        os.write(self._fd, b"explained\ny\ny\ny\n")
        words = ["review", "close", review, "--socket", str(counter.socket), "--key", str(counter.key(ROSA))]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "console", *words], stdin=child, stdout=child, stderr=child
        )
        os.close(child)
        self.shown = ""
        self.asked: list[str] = []

    def converse(self, sign: str) -> int:
        """Turn pages, answer what is asked, sign or not; return the exit code."""
        fresh = ""
        replies = {MORE: "\n", SIGN: sign, **ANSWERS}
        while piece := self._read():
            fresh += piece
            for prompt, reply in replies.items():
                if prompt in fresh:
                    self.asked += [prompt] if prompt != MORE else []
                    fresh = fresh.partition(prompt)[2]
                    os.write(self._fd, reply.encode())
        os.close(self._fd)
        return self._process.wait()

    def _read(self) -> str:
        try:
            piece = os.read(self._fd, 65536).decode(errors="replace")
        except OSError:  # how Linux tells the end of a pseudo-terminal
            return ""
        self.shown += piece
        return piece


def test_each_pattern_and_question_is_asked_and_only_then_the_signature(counter: Counter) -> None:
    """R-36, R-39."""
    review = printed(counter)
    terminal = Terminal(counter, review)
    code = terminal.converse("y\n")

    assert code == 0, terminal.shown
    assert terminal.asked == [*ANSWERS, SIGN]
    assert f"{review} is closed by rosa" in terminal.shown


def test_a_no_signs_nothing(counter: Counter) -> None:
    review = printed(counter)
    terminal = Terminal(counter, review)

    assert terminal.converse("n\n") == 3
    assert "nothing was signed" in terminal.shown
    assert counter.ask("review", "show", review)["review"]["state"] == "open"
