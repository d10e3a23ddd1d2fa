"""How common words and signs are, so that a pattern is looked for by what is rare of it."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_COUNTED: Final = Path(__file__).with_name("common.txt")
_LONGEST: Final = 8  # letters; what is longer is about as rare as its rarest part
_MARKS: Final[Mapping[str, float]] = {
    **dict.fromkeys("-.,_ ", 15.0),
    **dict.fromkeys("/:'\"()=|", 6.0),
    **dict.fromkeys("#$%&+*@<>[]{}", 1.0),
    "\n": 27.0,
}
_RUNS: Final = re.compile(r"([a-z0-9]+)")
_RARE: Final = 0.006
_NEXT: Final = 0.4  # of what is met, about so much has something given beside it


@cache
def rate(literal: str) -> float:
    """Return how often a literal is met in a KB, roughly; a blank in it is the edge of a word."""
    pieces = _RUNS.split(literal)
    rates = [_MARKS.get(mark, _RARE) for piece in pieces[::2] for mark in piece if mark != " "]
    for at in range(1, len(pieces), 2):
        before, after = " " if pieces[at - 1] else "", " " if pieces[at + 1] else ""
        rates.append(_rate_of_run(f"{before}{pieces[at]}{after}"))
    return min(rates, default=99.0) * _NEXT ** max(len(rates) - 1, 0)


@cache
def _rate_of_run(run: str) -> float:
    """A run of letters and digits, with a blank where it has an edge."""
    table = _table()
    parts = (run[at : at + _LONGEST] for at in range(max(len(run) - _LONGEST, 0) + 1))
    return min(table.get(part, _RARE) for part in parts)


@cache
def _table() -> dict[str, float]:
    """How often the parts of common words are met."""
    found: dict[str, float] = defaultdict(lambda: 0.0)
    for line in _COUNTED.read_text().replace("\n  ", " ").splitlines():
        told, _, words = line.partition(":")
        for word in words.split():
            for part in _parts(f" {word} "):
                found[part] += float(told)
    return dict(found)


def _parts(word: str) -> set[str]:
    size = len(word)
    return {
        word[start:end] for start in range(size) for end in range(start + 1, min(start + _LONGEST, size) + 1)
    } - {" "}
