"""Which patterns to ask about which sentence: those all of whose words stand in it."""

from collections.abc import Iterator, Sequence
from typing import Final

from sandboxes.scrub.fieldgate import FieldGate
from sandboxes.scrub.index import Index
from sandboxes.scrub.matcher import Hit, Matcher
from sandboxes.scrub.rules import FieldRule
from sandboxes.scrub.sentences import one_a_line
from sandboxes.scrub.sweep import Sweep

_MOST: Final = 5.0  # in a KB; patterns of what is more common are asked of all sentences


class Gate:
    """Asks a pattern only where what it needs stands in the sentence."""

    def __init__(self, texts: Sequence[Matcher], fields: Sequence[Matcher]) -> None:
        """Learn from each pattern of text what it needs, and the names of fields."""
        self.matchers = (*texts, *fields)
        self._texts = [matcher for matcher in texts if _is_rare(matcher)]
        self._index = Index([matcher.needs for matcher in self._texts])
        self._sweep = Sweep([matcher for matcher in texts if not _is_rare(matcher)])
        self._fields = tuple(fields)
        self._names = FieldGate([matcher.rule for matcher in fields if isinstance(matcher.rule, FieldRule)])

    def find(self, data: bytes) -> Iterator[Hit]:
        """Yield what is found in a view, in no order; nothing goes across the end of a sentence or a line.

        Raises:
            ScanError: the text could not be scanned to its end.
        """
        lines = one_a_line(data)
        for start, sentence, matchers in self._asked(lines):
            for matcher in matchers:
                yield from _moved(matcher.hits(sentence), start)
        yield from self._sweep.find(lines)
        asked: set[tuple[int, int]] = set()
        for first, last, rules in self._names.find(data):
            for number in rules:
                if (first, number) not in asked:
                    asked.add((first, number))
                    yield from _moved(self._fields[number].hits(data[first:last]), first)

    def _asked(self, lines: bytes) -> Iterator[tuple[int, bytes, list[Matcher]]]:
        """Where the sentences are in which a pattern can match, and which."""
        sentences: list[bytes] = []
        start = before = 0
        for line, places in self._index.able(lines):
            sentences = sentences or lines.split(b"\n")
            start += sum(map(len, sentences[before:line])) + line - before
            before = line
            yield start, sentences[line], [self._texts[place] for place in places]


def _is_rare(matcher: Matcher) -> bool:
    return bool(matcher.needs) and matcher.needs[0].rate < _MOST


def _moved(hits: Iterator[Hit], start: int) -> Iterator[Hit]:
    for hit in hits:
        yield Hit(hit.start + start, hit.end + start, hit.rule)
