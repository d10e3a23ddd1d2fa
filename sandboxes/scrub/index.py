"""Which patterns can match in which sentence, by what stands in it.

Every pattern needs one literal each of some lists. The rarest lists of all patterns are looked for at once,
by an automaton of Aho and Corasick ("Efficient string matching", 1975). A literal stands for one long number
with a bit for each pattern and each of its lists that has it; the numbers of what stands in a sentence say
which patterns have all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ahocorasick_rs import BytesAhoCorasick

from sandboxes.scrub.forms import SIGNS, WORDS, Form, Words, form_rate, ways_of

LISTS: Final = 3  # of a pattern that are looked for in every text
_WORTH: Final = 20.0  # asking a pattern costs as much as finding so many literals
_EVERYWHERE: Final = 12.0  # in a KB; what is as common stands in most sentences


@dataclass(frozen=True, slots=True)
class Needed:
    """Literals of a form of which a sentence holds one."""

    form: Form
    literals: frozenset[bytes]
    rate: float = field(compare=False)


def needed(lists: Iterable[Words]) -> list[Needed]:
    """Return lists of literals of which a matching sentence holds one each, the rarest first."""
    found: dict[Needed, None] = {}
    for words in lists:
        form = min(WORDS, SIGNS, key=lambda one: form_rate(words, one))
        if ways := ways_of(words, form):
            literals = frozenset(way.encode() for way in ways)
            found[Needed(form, literals, form_rate(words, form))] = None
    return sorted(found, key=lambda one: one.rate)


def looked_for(lists: Sequence[Needed]) -> list[Needed]:
    """Return those lists that are looked for everywhere: the first, and what saves more than it costs."""
    if not lists:
        return []
    taken, asked = [lists[0]], lists[0].rate
    for one in lists[1:]:
        passes = min(one.rate / _EVERYWHERE, 1.0)
        if len(taken) < LISTS and one.rate < _WORTH * asked * (1 - passes):
            taken.append(one)
            asked *= passes
    return taken


class Index:
    """Tells of sentences which patterns can match there."""

    def __init__(self, patterns: Sequence[Sequence[Needed]]) -> None:
        """Learn the lists of literals that are looked for of each pattern, one at the least."""
        self._count = len(patterns)
        self._all = (1 << self._count) - 1
        self._free = 0
        bits: dict[Form, dict[bytes, int]] = {WORDS: defaultdict(int), SIGNS: defaultdict(int)}
        for place, taken in enumerate(patterns):
            for level in range(LISTS):
                bit = 1 << (level * self._count + place)
                self._free |= bit if level >= len(taken) else 0
                for literal in taken[level].literals if level < len(taken) else ():
                    bits[taken[level].form][literal] |= bit
        self._numbers = {form: [*numbers.values()] for form, numbers in bits.items()}
        self._find = {
            form: BytesAhoCorasick([*numbers]).find_matches_as_indexes for form, numbers in bits.items()
        }

    def able(self, lines: bytes) -> Iterator[tuple[int, list[int]]]:
        """Yield the places of the lines in which a pattern can match, in order, and those of the patterns."""
        met: dict[int, int] = {}
        for form in self._find:
            self._meet(form.written(lines), form, met)
        for line in sorted(met):
            able = self._together(met[line])
            if able:
                yield line, [*_places(able)]

    def _meet(self, text: bytes, form: Form, met: dict[int, int]) -> None:
        """Add the numbers of what stands in each line to what is met there."""
        mark, numbers = form.end, self._numbers[form]
        line, end = (-1, 0) if form is SIGNS else (0, text.find(mark))
        told = 0
        for index, _, last in self._find[form](text, overlapping=True):
            if last > end >= 0:
                if told:
                    met[line] = met.get(line, 0) | told
                    told = 0
                line += text.count(mark, end, last)
                end = text.find(mark, last)
            told |= numbers[index]
        if told:
            met[line] = met.get(line, 0) | told

    def _together(self, told: int) -> int:
        """The patterns, a bit each, all of whose lists are met."""
        told |= self._free
        able = told & self._all
        for _ in range(LISTS - 1):
            if not able:
                break
            told >>= self._count
            able &= told
        return able


def _places(bits: int) -> Iterator[int]:
    while bits:
        bit = bits & -bits
        bits ^= bit
        yield bit.bit_length() - 1
