"""The sentences from which the scrubber's weights are learned: those that tell, and those that do not."""

import calendar
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from typing import Any, Final

from bench.new_texts import paragraphs
from bench.scrub_corpus import CORPUS, REPLACING, Positive, is_gone
from profiles.context import StatusKind
from sandboxes.scrub.pack import SHIPPED as PACKS
from sandboxes.scrub.pack import Pack
from sandboxes.scrub.rules import read_file
from sandboxes.scrub.scrubber import Scrubber
from sandboxes.scrub.sentences import one_a_line
from sandboxes.scrub.view import view_of
from sandboxes.scrub.weighing import is_prose, stem
from scripts import ordinary_texts

Told = tuple[str, StatusKind]  # a sentence and what it tells
OF_ONE: Final = 12_000  # sentences at most of one package of other texts
NAMED: Final = 3  # times as often with a capital as without one, a word is a name

_INSIDE: Final = re.compile(r"(?<=\s)[\"'(]?([A-Za-z]+)")  # words that do not begin a text
_DATES: Final = frozenset(map(str.lower, (*calendar.month_name, *calendar.day_name)))


def sentences_of(text: str) -> Iterator[str]:
    """Yield the sentences of a text that are weighed."""
    lines = one_a_line(view_of(text).data).decode().split("\n")
    yield from (line for line in lines if is_prose(line.lower().encode()))


def parted(found: Iterable[Positive]) -> tuple[list[Told], list[str]]:
    """Return the sentences of a corpus that hold what tells, and those that stand beside them."""
    tell: list[Told] = []
    beside: list[str] = []
    for one in found:
        for sentence in (sentence for text in texts_of(one) for sentence in sentences_of(text)):
            if any(tell.lower() in sentence.lower() for tell in one.tells):
                tell.append((sentence, one.kind))
            else:
                beside.append(sentence)
    return tell, beside


def left_by_rules(found: Iterable[Positive]) -> list[str]:
    """Return what the rules leave of the texts of a corpus out of which they took what tells."""
    rules = Scrubber((), REPLACING, rules_alone())
    left = ((one, rules.text(one.text, one.place).value) for one in found if one.form == "text")
    return [sentence for one, text in left if is_gone(one, text) for sentence in sentences_of(text)]


def rules_alone() -> Pack:
    """Return the shipped rules without weights."""
    return Pack([read_file(path) for path in sorted(PACKS.glob("*.yaml"))])


def texts_of(one: Positive) -> Iterator[str]:
    """Yield the running texts of an item."""
    if one.form == "text":
        yield one.text
    elif one.form == "json":
        yield from _strings(json.loads(one.text))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def written() -> tuple[list[Told], list[str]]:
    """Return the sentences that were written to be learned from: those that tell, and the others.

    Of two in one line that tell, the first only says what the second speaks of.
    """
    tell: list[Told] = []
    rest: list[str] = []
    for kind, text in _lines():
        if kind == "-":
            rest += sentences_of(text)
        else:
            tell += [(one, StatusKind(kind)) for one in [*sentences_of(text)][-1:]]
    return tell, rest


def names() -> set[str]:
    """Return the stems of names in what was written: the names of invented agents tell nothing of others."""
    capital: Counter[str] = Counter()
    small: Counter[str] = Counter()
    for _, text in _lines():
        for word in _INSIDE.findall(text):
            is_name = word[0].isupper() and not word.isupper()
            (capital if is_name else small)[word.lower()] += 1
    often = {word for word, count in capital.items() if count > small[word] * NAMED}
    return {stem(word) for word in often - _DATES}


def _lines() -> Iterator[tuple[str, str]]:
    for path in sorted((CORPUS / "sentences").glob("*.tsv")):
        for line in path.read_text().splitlines():
            kind, text = line.split("\t")
            yield kind, text


def examples() -> tuple[list[Told], list[str]]:
    """Return the sentences that the rules of text give as examples, and those that no rule may find."""
    files = [read_file(path) for path in sorted(PACKS.glob("*.yaml"))]
    rules = [rule for file in files for rule in file.rules]
    told = [(one, rule.kind) for rule in rules for text in rule.examples for one in sentences_of(text)]
    shown = [rule.lookalikes for file in files for rule in file.rules]
    shown += [rule.lookalikes for file in files for rule in file.fields]
    return told, [one for some in shown for text in some for one in sentences_of(text)]


def documents() -> list[str]:
    """Return sentences of documentation, in an order by chance that is always the same."""
    found = [sentence for text in paragraphs() for sentence in sentences_of(text)]
    Random(3).shuffle(found)  # noqa: S311 - an order
    return found


def other_texts() -> list[str]:
    """Return sentences of running text that is no documentation, in an order by chance."""
    ordinary_texts.fetch()
    chance = Random(7)  # noqa: S311 - an order
    found: list[str] = []
    for name in ordinary_texts.PACKAGES:
        parts = ordinary_texts.paragraphs(name)
        chance.shuffle(parts)
        found += islice((one for part in parts for one in sentences_of(part)), OF_ONE)
    chance.shuffle(found)
    return found
