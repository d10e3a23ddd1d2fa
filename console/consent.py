"""Saying yes: a key press counts only after the whole thing was shown, a script's yes only with its digest.

- At a terminal the card is shown page by page; what was typed before its end is thrown away.
- Without a terminal, or with `--json`, nothing is asked: the card is printed and the command ends. `--yes
  --digest D` then says yes to exactly the thing with that digest. `--yes` alone says yes to nothing.
"""

import math
import os
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import typer

from console.errors import BlockedError, UsageError
from console.escape import width
from console.session import Session
from console.show.text import say, say_json

_SHORTEST = 12


@dataclass(frozen=True)
class Consent:
    """What the command line said about asking.

    Attributes:
        yes: do not ask.
        digest: the digest that was shown before, or its first characters.
    """

    yes: bool
    digest: str | None

    def require(
        self, session: Session, card: Mapping[str, Any], page: Sequence[str], digest: str, question: str
    ) -> None:
        """Go on only if this very thing is agreed to.

        Args:
            session: says whether to answer in JSON.
            card: what is agreed to, for scripts.
            page: the same as lines to show, safe to print.
            digest: of what both show.
            question: what a yes does.

        Raises:
            UsageError: nobody can be asked here, and the command line does not say yes properly.
            BlockedError: the digest given is another one, or the answer was no.
        """
        if self.yes:
            self._check(digest)
            return
        if why := nobody_to_ask(session):
            if session.json:
                say_json({"question": question, "digest": digest, "card": card})
            else:
                say(*page)
            step = f"read the above, then add: --yes --digest {digest[:_SHORTEST]}"
            raise UsageError("nobody can be asked here", got=why, next_step=step)
        show_whole(page)
        if not _ask(question):
            raise BlockedError("nothing was signed")

    def _check(self, digest: str) -> None:
        if self.digest is None:
            raise UsageError("--yes", got="no --digest", expected="the digest that was shown before")
        if len(self.digest) < _SHORTEST or not digest.startswith(self.digest):
            raise BlockedError(
                "--digest does not fit: it is not what was shown before, or has changed since",
                got=self.digest,
                next_step="read it again",
            )


def nobody_to_ask(session: Session) -> str:
    """Return why nobody can be asked; empty where somebody can."""
    if session.json:
        return "--json"
    return "" if sys.stdin.isatty() and sys.stdout.isatty() else "no terminal"


def show_whole(page: Sequence[str]) -> None:
    """Print all lines, stopping at each full screen; the last line is always seen before the question."""
    screens = _screens(page, *os.get_terminal_size(sys.stdout.fileno()))
    for number, lines in enumerate(screens, 1):
        say(*lines)
        if number < len(screens):
            forget_typed()
            typer.prompt("-- more: Enter --", default="", show_default=False, prompt_suffix=" ")


def _screens(page: Sequence[str], columns: int, rows: int) -> list[list[str]]:
    """Part lines into screens; a line longer than the terminal is wide takes as many rows as it needs."""
    screens: list[list[str]] = [[]]
    room = most = max(2, rows - 1)
    for line in page:
        needed = max(1, math.ceil(width(line) / max(1, columns)))
        if needed > room and screens[-1]:
            screens.append([])
            room = most
        screens[-1].append(line)
        room -= needed
    return screens


def _ask(question: str) -> bool:
    forget_typed()
    return typer.confirm(question, default=False)


def forget_typed() -> None:
    """Throw away what was typed ahead: a yes before the end of the card is no yes."""
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
