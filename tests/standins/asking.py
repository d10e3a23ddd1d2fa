"""What every pattern of a gate finds in every sentence, found out without the gate."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import re2

from sandboxes.scrub.gate import Gate
from sandboxes.scrub.matcher import Matcher
from sandboxes.scrub.patterns import byte_options
from sandboxes.scrub.sentences import one_a_line

Found = set[tuple[int, int, str]]
_Asked = tuple[Any, Matcher]  # with what finds something wherever it does
_AT_ONCE: Final = 16  # views; most patterns find nothing in any of them


class Asking:
    """Asks patterns, all of every sentence."""

    def __init__(self, gate: Gate) -> None:
        """Take the patterns of a gate."""
        self._matchers = [(_anywhere(matcher.written), matcher) for matcher in gate.matchers]

    def find(self, views: Sequence[bytes]) -> Iterator[Found]:
        """Yield where something begins and ends in each view, and by which rule."""
        for at in range(0, len(views), _AT_ONCE):
            together = [one_a_line(view) for view in views[at : at + _AT_ONCE]]
            some = _able(self._matchers, b"\n".join(together))
            yield from (set(_asked(_able(some, lines), lines)) for lines in together)


def _able(matchers: Sequence[_Asked], lines: bytes) -> list[_Asked]:
    """Leave out those that find nothing in any of the lines."""
    return [one for one in matchers if one[0].search(lines)]


def _asked(matchers: Sequence[_Asked], lines: bytes) -> Iterator[tuple[int, int, str]]:
    start = 0
    for sentence in lines.split(b"\n"):
        for _, matcher in matchers:
            for hit in matcher.hits(sentence):
                yield hit.start + start, hit.end + start, hit.rule.id
        start += len(sentence) + 1


def by_the_gate(gate: Gate, data: bytes) -> Found:
    """Return the same as the gate finds it."""
    return {(hit.start, hit.end, hit.rule.id) for hit in gate.find(data)}


def _anywhere(written: str) -> Any:
    """Return what finds something in a text of lines wherever a pattern finds something in one of the lines.

    A line begins and ends for it where a text does for the pattern. Across lines it may find more.
    """
    return re2.compile(f"(?m){written}".encode(), byte_options())
