"""What a text must hold at the least for a pattern to match: so that few patterns are asked about any text.

From a pattern's syntax tree come lists of words of which one each must stand in the text; a pattern needs all
its lists. The idea is that of RE2's FilteredRE2 and of Russ Cox, "Regular Expression Matching with a Trigram
Index" (2012); here also where a word must have its edge is kept, since most text is made of words.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import product
from re import _constants as sre  # type: ignore[attr-defined]  # the standard library ships no types for it
from typing import Final

from sandboxes.scrub.chars import AROUND, BLANK, EDGE, IN_WORDS, OTHER, START, chars_of, class_sign, is_class
from sandboxes.scrub.forms import Words, commonness
from sandboxes.scrub.trees import Node, Trees

_MOST: Final = 60  # words of one list; where there are more, the list is cut before them
_MOST_ALONE: Final = 600  # of a list that only gets a word before or after it
_MOST_CHARS = 5  # of a class that is written out
_MOST_KEPT = 16  # of a class that is kept as a class: digits, hexadecimal digits
_LEVELS: Final = 3  # lists that a choice is left with
_COPIES = 8  # of what is repeated

_REPEATS: Final = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT})
_BLANKS: Final = [(sre.IN, [(sre.LITERAL, ord(" ")), (sre.LITERAL, ord("\t"))])]  # as the parser reads them
_AT: Final = {sre.AT_NON_BOUNDARY: "", sre.AT_BEGINNING: START, sre.AT_BEGINNING_STRING: START}

Info = tuple[Words | None, list[Words]]  # all words it can be, if few; else the lists that it needs


class Needs:
    """Tells what patterns need, with the lists of words of one pack."""

    def __init__(self, words: Mapping[str, str]) -> None:
        """Take the lists of words; what each needs is found out once."""
        self._trees = Trees(words)
        self._known: dict[tuple[int, bool, bool], Info] = {}

    def of(self, pattern: str) -> tuple[Words, ...]:
        """Return the lists of words of which a matching text holds one each, in lower case.

        Of syntax that RE2 has and the standard library's parser has not, nothing is known.
        """
        try:
            exact, lists = self._sequence(self._trees.parsed(pattern), before=False, after=False)
        except re.error:
            return ()
        found = [*lists, exact] if exact is not None else lists
        return tuple(dict.fromkeys(words for words in found if _tells(words)))

    def _sequence(self, items: Sequence[Node], *, before: bool, after: bool) -> Info:
        """What a sequence needs; whether it is known that an edge of a word is before it, and after it."""
        exact = frozenset({EDGE if before else ""})
        lists: list[Words] = []
        whole = True
        for place, item in enumerate(items):
            if item[0] is sre.LITERAL and item[1] not in self._trees.names:
                exact = frozenset([word + chr(item[1]).lower() for word in exact])
                continue
            one, more = self._node(items, place, before=before, after=after)
            copies = one if one is not None else self._copies(item)
            joined = None if copies is None else _joined(exact, copies)
            if joined is not None and copies is not None:
                whole = whole and one is not None
                lists += [] if one is not None else [joined]
                exact = joined if one is not None else copies
                continue
            whole = False
            lists += [_edged(exact, before=False, after=self._trees.begins(items[place:], after)), *more]
            if one is None:
                edge = frozenset({EDGE if self._trees.ends(items[: place + 1], before) else ""})
                exact = self._last(items[: place + 1]) or edge
            else:
                exact = _edged(one, before=self._trees.ends(items[:place], before), after=False)
        exact = _edged(exact, before=False, after=after)
        return (exact, lists) if whole else (None, [words for words in [*lists, exact] if _tells(words)])

    def _node(self, items: Sequence[Node], place: int, *, before: bool, after: bool) -> Info:
        """What one of a sequence needs; where words have edges is only found out if that matters."""
        op, arg = items[place]
        if op is sre.AT:
            return frozenset({_AT.get(arg, EDGE)}), []
        if op is sre.IN and not self._trees.lists_in(arg):
            return _of_class(arg), []
        if op in _REPEATS and list(arg[2]) == _BLANKS:
            return _blanks(arg[0]), []
        starts = self._trees.ends(items[:place], before)
        stops = self._trees.begins(items[place + 1 :], after)
        return self._compound(items[place], before=starts, after=stops)

    def _compound(self, item: Node, *, before: bool, after: bool) -> Info:
        """What something needs that has sequences within it."""
        op, arg = item
        if op is sre.LITERAL:
            return self._named(arg, before, after)
        if op is sre.IN:
            return self._branch(self._trees.lists_in(arg), before=before, after=after)
        if op is sre.BRANCH:
            return self._branch(arg[1], before=before, after=after)
        if op is sre.SUBPATTERN:
            return self._sequence(list(arg[3]), before=before, after=after)
        if op in _REPEATS:
            return self._repeat(*arg, before=before, after=after)
        return None, []

    def _named(self, code: int, before: bool, after: bool) -> Info:
        key = (code, before, after)
        if key not in self._known:
            self._known[key] = self._sequence(self._trees.tree(code), before=before, after=after)
        exact, lists = self._known[key]
        return exact, [*lists]

    def _repeat(self, least: int, most: int, inner: Iterable[Node], *, before: bool, after: bool) -> Info:
        items = list(inner)
        many = most != 1
        starts = before and (not many or self._trees.ends(items, False))  # noqa: FBT003 nothing is known there
        stops = after and (not many or self._trees.begins(items, False))  # noqa: FBT003 nothing is known there
        exact, lists = self._sequence(items, before=starts, after=stops)
        if exact is not None and {word.strip(EDGE) for word in exact} == {BLANK}:
            return _blanks(least), []
        if least == 0:
            return (exact | {""} if not many and exact is not None else None), []
        if (least, most) == (1, 1):
            return exact, lists
        return None, [*lists, *([exact] if exact is not None and _tells(exact) else [])]

    def _copies(self, item: Node) -> Words | None:
        """What a repeated class begins and ends with at the least."""
        op, arg = item
        if op not in _REPEATS or arg[0] == 0:
            return None
        exact, _ = self._sequence(list(arg[2]), before=False, after=False)
        sign = next(iter(exact)) if exact is not None and len(exact) == 1 else ""
        return frozenset({sign * min(arg[0], _COPIES)}) if len(sign) == 1 and is_class(sign) else None

    def _last(self, items: Sequence[Node]) -> Words | None:
        """What a sequence can end with, one character each, if that is known."""
        if not items:
            return None
        op, arg = items[-1]
        if op is sre.LITERAL and arg not in self._trees.names:
            return frozenset({chr(arg).lower()})
        if op is sre.IN and not self._trees.lists_in(arg):
            return _of_class(arg)
        if op is sre.SUBPATTERN:
            return self._last(list(arg[3]))
        if op in _REPEATS:
            inner, before = self._last(list(arg[2])), frozenset[str]() if arg[0] else self._last(items[:-1])
            both = None if inner is None or before is None else inner | before
            return both if both is not None and len(both) <= _MOST_CHARS else None
        return None

    def _branch(self, branches: Iterable[Iterable[Node]], *, before: bool, after: bool) -> Info:
        told = [
            self._literal(items, before=before, after=after)
            or self._sequence(items, before=before, after=after)
            for items in map(list, branches)
        ]
        together: set[str] = set()
        for exact, _ in told:
            together |= exact or set()
        if all(exact is not None for exact, _ in told) and len(together) <= _MOST_ALONE:
            edges = together - {EDGE, START} == {OTHER}
            return frozenset({OTHER} if edges else together), []
        able = [_able(exact, lists) for exact, lists in told]
        if not all(able):
            return None, []
        levels = range(min(_LEVELS, max(map(len, able))))
        return None, [frozenset().union(*(one[min(level, len(one) - 1)] for one in able)) for level in levels]

    def _literal(self, items: Sequence[Node], *, before: bool, after: bool) -> Info | None:
        """What a sequence of mere characters needs, as most of many branches are."""
        if any(op is not sre.LITERAL or arg in self._trees.names for op, arg in items):
            return None
        word = "".join([chr(arg) for _, arg in items]).lower()
        return frozenset({f"{EDGE if before else ''}{word}{EDGE if after else ''}"}), []


def _blanks(least: int) -> Words:
    return frozenset({BLANK} if least else {"", BLANK})


def _edged(words: Words, *, before: bool, after: bool) -> Words:
    if not before and not after:
        return words
    return frozenset(f"{EDGE if before else ''}{word}{EDGE if after else ''}" for word in words)


@cache
def _tells(words: Words) -> bool:
    return bool(words) and all(_weight(word) > 0 for word in words)


def _weight(word: str) -> int:
    plain = word.strip(AROUND)
    edges = (word[:1] in AROUND) + (word[-1:] in AROUND) if plain else 0
    return len(plain) if len(plain) > 1 or edges > 1 or (plain and not plain.isalnum()) else 0


def _joined(first: Words, second: Words) -> Words | None:
    count = len(first) * len(second)
    if count > (_MOST_ALONE if min(len(first), len(second)) == 1 else _MOST):
        return None
    return frozenset(a + b for a, b in product(first, second))


def _of_class(items: Sequence[Node]) -> Words | None:
    chars = chars_of(items)
    if not chars:
        return None
    if chars == {" ", "\t"}:
        return frozenset({BLANK})
    lower = frozenset(char.lower() for char in chars)
    if len(lower) <= _MOST_CHARS:
        return lower
    if chars.isdisjoint(IN_WORDS):
        return frozenset({OTHER})
    return frozenset({class_sign(lower)}) if len(lower) <= _MOST_KEPT else None


def _able(exact: Words | None, lists: list[Words]) -> list[Words]:
    """The lists that say something, the rarest first."""
    able = [words for words in [*lists, *([exact] if exact is not None else [])] if _tells(words)]
    return sorted(able, key=commonness) if len(able) > 1 else able
