"""Long values beside their name, folded into lines that fit and never cut: all that is signed is seen."""

import textwrap
from collections.abc import Iterable, Iterator

from console.escape import escape
from console.show.text import COLUMNS, Cell


def folded(name: str, text: str, *, beside: int = 12) -> Iterator[tuple[str, Cell]]:
    """Yield a text as rows for `fields`; the name stands at the first one.

    Args:
        name: what it is; it is escaped here too.
        text: of any length; it is escaped here.
        beside: the columns that the names take.
    """
    for number, line in enumerate(textwrap.wrap(escape(text), COLUMNS - beside) or ["-"]):
        yield ("" if number else escape(name)), Cell(line)


def folded_list(name: str, values: Iterable[object], *, beside: int = 12) -> Iterator[tuple[str, Cell]]:
    """Yield several values as one folded text; none is a dash."""
    return folded(name, ", ".join(str(value) for value in values), beside=beside)
