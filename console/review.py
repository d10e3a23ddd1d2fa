"""The review loop: drawn items one at a time, the whole card before the verdict key works, no approve-all.

Each verdict is a signature of its own over the card that was shown. Whatever is typed ahead is thrown away,
so a key held down judges nothing. Quitting loses nothing: what was judged is recorded, the rest waits.
"""

import json
import os
import sys
import termios
import tty
from collections.abc import Iterator
from typing import Any

import typer

from console.client import Client
from console.consent import forget_typed, show_whole
from console.errors import BlockedError, UsageError
from console.session import Session
from console.show.cards import judged_page
from console.show.items import loop_head, loop_page
from console.show.text import Cell, Style, paint, say, say_line_json
from console.show.values import Json
from console.shown import checked_item, fetch_item
from console.signing import Signer, signer
from console.voting import say_expectation, say_verdict

VERDICTS = {"a": "agree", "d": "disagree", "h": "harmful", "u": "unclear"}
_KEYS = "a agree   d disagree   h harmful   u unclear   q quit "
_QUIT = ("q", "\x04", "")
_KEY_BYTES = 32
_SHORTEST = 12


class _QuitError(Exception):
    """The person wants to go."""


class Desk:
    """What waits for one person, fetched one by one."""

    def __init__(self, session: Session, agent: str | None, client: Client) -> None:
        """Learn who signs, and let the control plane draw what has happened since the last draw."""
        self.client = client
        self.by: Signer = signer(session, client)
        self._agent = agent
        client.post("suggestions", "draws", body={"agent": agent})

    def next(self) -> tuple[int, Json | None]:
        """Return how many items wait, and the first of them, checked."""
        answer = self.client.get("suggestions", "next", person=self.by.person, agent=self._agent)
        item = answer["item"]
        return answer["left"], None if item is None else checked_item(item, item["item"])


def review(desk: Desk) -> tuple[int, int]:
    """Go through everything that waits for a person, at their terminal.

    Returns:
        how many items were judged, and how many still wait.

    Raises:
        UsageError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        step = "at a terminal, or with --json for scripts"
        raise UsageError("nobody can be asked here", got="no terminal", next_step=step)
    done = 0
    left, item = desk.next()
    try:
        while item is not None:
            _one(desk, item, done + 1, done + left)
            done += 1
            left, item = desk.next()
    except (_QuitError, typer.Abort, EOFError, KeyboardInterrupt):
        say("")
    return done, left


def review_json(desk: Desk) -> Iterator[Json]:
    """Answer each line of JSON on the standard input with one on the standard output.

    First comes what waits: `{"left": n, "item": {...} or null, "said": null}`. A line in is either
    `{"item": id, "digest": d, "expectation": words}` or
    `{"item": id, "digest": d, "verdict": v, "reason": r}`, where the digest is that of the card in the line
    before. It ends when nothing waits, or at the end of the input.

    Raises:
        UsageError: a line cannot be read.
        BlockedError: a line is about another card than the one that waits.
    """
    left, item = desk.next()
    yield {"left": left, "item": item, "said": None}
    while item is not None and (line := sys.stdin.readline()).strip():
        said = _answer(desk, item, line)
        left, item = _after(desk, item, said)
        yield {"left": left, "item": item, "said": said}


def print_json(desk: Desk) -> None:
    """Run the review for a script."""
    for line in review_json(desk):
        say_line_json(line)


def _after(desk: Desk, item: Json, said: Json) -> tuple[int, Json | None]:
    """What comes next: the same item, now whole, after an expectation; else the next one."""
    left, following = desk.next()
    return left, following if "verdict" in said else fetch_item(desk.client, item["item"], desk.by.person)


def _answer(desk: Desk, item: Json, line: str) -> Json:
    given = _parsed(line)
    digest = given.get("digest", "")
    if given.get("item") != item["item"] or len(digest) < _SHORTEST or not item["digest"].startswith(digest):
        raise BlockedError("the line is not about the card that waits", got=str(given.get("item")))
    if item["phase"] == "expect":
        return say_expectation(desk.client, desk.by, item, _text(given, "expectation"))
    if given.get("verdict") not in VERDICTS.values():
        expected = ", ".join(VERDICTS.values())
        raise UsageError("verdict", got=repr(given.get("verdict")), expected=f"one of {expected}")
    return say_verdict(desk.client, desk.by, item, given["verdict"], _text(given, "reason"))


def _parsed(line: str) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except ValueError as error:
        raise UsageError(f"a line of the input is not JSON: {error}") from error
    if not isinstance(given, dict) or not isinstance(given.get("digest", ""), str):
        raise UsageError("a line of the input", got=type(given).__name__, expected="an object with a digest")
    return given


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"`{name}` is missing in a line of the input", expected="a text")
    return value


def _one(desk: Desk, item: Json, number: int, total: int) -> None:
    say("", loop_head(item, number, total))
    shown = _expected(desk, item) if item["phase"] == "expect" else item
    show_whole(loop_page(shown))
    while True:
        verdict = _key()
        reason = _line(f"{verdict}, because (empty: choose again): ")
        if reason:
            break
    say(*judged_page(say_verdict(desk.client, desk.by, shown, verdict, reason)))


def _expected(desk: Desk, item: Json) -> Json:
    """Ask what the person would do, over the reduced card; return the item as it opens then."""
    show_whole(loop_page(item))
    while not (words := _line("What would you do? (q quits) ")):
        pass
    if words == "q":
        raise _QuitError
    say_expectation(desk.client, desk.by, item, words)
    say("", paint(Cell("-- the proposal", Style.HEAD)))
    return fetch_item(desk.client, item["item"], desk.by.person)


def _key() -> str:
    """Wait for one of the keys, pressed now, and alone: keys held down come several at once."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSAFLUSH)  # what was typed ahead is gone from here on
    try:
        sys.stdout.write(_KEYS)
        sys.stdout.flush()
        while (key := os.read(terminal, _KEY_BYTES).decode(errors="replace")) not in VERDICTS:
            if key in _QUIT:
                raise _QuitError
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
    say(key)
    return VERDICTS[key]


def _line(prompt: str) -> str:
    """Read one line, typed now."""
    forget_typed()
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.strip()
