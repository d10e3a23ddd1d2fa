"""Writing to the terminal: colour where there is one, JSON where it was asked for, nothing unsafe ever."""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from console.escape import clip, escape_json, width

COLUMNS = 100
STDOUT: Final = Path("-")
"""What a user writes in place of a file's name to have it on the standard output."""


class Style(Enum):
    """Few, and each with one meaning; the value is the SGR parameter (ECMA-48, section 8.3.117)."""

    PLAIN = ""
    HEAD = "1"
    GOOD = "32"
    WARN = "33"
    BAD = "31"
    DIM = "2"


@dataclass(frozen=True)
class Cell:
    """Text that is already safe to print, with a style."""

    text: str
    style: Style = Style.PLAIN


def say(*lines: str) -> None:
    """Print lines that are already safe."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print one JSON value, two spaces deep."""
    say(escape_json(value, indent=2))


def say_line_json(value: Any) -> None:
    """Print one JSON value on one line, as one of many."""
    say(escape_json(value))


def note(line: str) -> None:
    """Print a remark beside the answer, on the error stream."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def paint(cell: Cell) -> str:
    """Return a cell's text, coloured if the answer goes to a terminal."""
    if cell.style is Style.PLAIN or not sys.stdout.isatty():
        return cell.text
    return f"\x1b[{cell.style.value}m{cell.text}\x1b[0m"


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], *, columns: int = COLUMNS) -> list[str]:
    """Lay cells out in columns; the broadest are cut so that a line fits, but no id and no moment ever.

    Args:
        heads: the names of the columns.
        rows: as many safe cells as there are heads.
        columns: the widest line allowed.

    Returns:
        The lines, the heads first.
    """
    lines = [[Cell(head, Style.DIM) for head in heads], *(list(row) for row in rows)]
    widths = [max(width(line[at].text) for line in lines) for at in range(len(heads))]
    widths = _fitted(widths, [_floor(line[at].text for line in lines) for at in range(len(heads))], columns)
    return [_line(line, widths) for line in lines]


def fields(pairs: Iterable[tuple[str, Cell]]) -> list[str]:
    """Lay names and values out in two columns; a value is never cut."""
    known = list(pairs)
    broad = max((width(name) for name, _ in known), default=0)
    return [f"{paint(Cell(name.ljust(broad), Style.DIM))}  {paint(cell)}".rstrip() for name, cell in known]


def _fitted(widths: Sequence[int], floors: Sequence[int], columns: int) -> list[int]:
    fitted = [min(broad, max(columns, floor)) for broad, floor in zip(widths, floors, strict=True)]
    for _ in range(sum(fitted) + 2 * (len(fitted) - 1) - columns):
        broader = [at for at, broad in enumerate(fitted) if broad > floors[at]]
        if not broader:
            break
        fitted[max(broader, key=fitted.__getitem__)] -= 1
    return fitted


def _floor(texts: Iterable[str]) -> int:
    """Return how narrow a column may become: what is copied or compared as a whole is never cut."""
    return max([_NARROWEST, *(len(text) for text in texts if _WHOLE.fullmatch(text))])


def _line(cells: Sequence[Cell], widths: Sequence[int]) -> str:
    shown = []
    for cell, broad in zip(cells, widths, strict=True):
        text = clip(cell.text, broad)
        shown.append(paint(Cell(text, cell.style)) + " " * (broad - width(text)))
    return "  ".join(shown).rstrip()


_NARROWEST = 8
_WHOLE = re.compile(r"[a-z]+-[0-9a-z]{16}|\d{4}-\d\d-\d\d [0-9:]{5,8}Z?")
"""An id, as `runtime.clock.new_id` makes them, or a moment."""
