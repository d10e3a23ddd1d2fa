"""How the demo tells its story: headings, the commands as they were typed, and what they printed."""

import sys
from collections.abc import Iterable, Sequence

_BOLD, _DIM, _END = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def say(title: str) -> None:
    """Begin a part of the story."""
    print(_painted(f"== {title}", _BOLD) + "\n", flush=True)


def typed(*words: str, by: str = "") -> None:
    """Show a command as a person would type it."""
    line = " ".join(_quoted(word) for word in ("handrail", *words))
    print(_painted(f"$ {line}" + (f"   # {by}" if by else ""), _DIM), flush=True)


def tell(text: str, *, indent: str = "") -> None:
    """Print what a command printed, and an empty line."""
    print("\n".join(f"{indent}{line}".rstrip() for line in text.rstrip("\n").split("\n")) + "\n", flush=True)


def tally(rows: Iterable[tuple[str, int]]) -> None:
    """Print counts, one a line."""
    for what, count in rows:
        print(f"  {what:<34} {count:>5}")
    print(flush=True)


def lines_with(text: str, *beginnings: str) -> str:
    """Return the lines of a long answer that begin with one of these words."""
    return "\n".join(line for line in text.splitlines() if line.startswith(beginnings))


def progress(line: str) -> None:
    """Show how far something is, in one line, where somebody is watching."""
    if sys.stdout.isatty():
        print(f"\r{line}\x1b[K", end="", flush=True)


def done(line: str) -> None:
    """End a line of progress."""
    progress("")
    print(("\r" if sys.stdout.isatty() else "") + line, flush=True)


def shortened(lines: Sequence[str], *, first: int) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - first
    return [*lines[:first], *([f"... and {more} more"] if more > 0 else [])]


def _quoted(word: str) -> str:
    return f'"{word}"' if " " in word or not word else word


def _painted(text: str, style: str) -> str:
    return f"{style}{text}{_END}" if sys.stdout.isatty() else text
