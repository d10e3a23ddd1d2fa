"""Words and pairs of words are weighed, as learned: in sentences that no rule knows, and against rules.

The weights stand in a text file. A sentence whose weights and the bias come to more than nothing tells. Where
a rule finds what is often said of other things, the sentence must weigh as much as the same file says. The
model is a logistic regression over features scaled by their log-count ratio (Wang and Manning, "Baselines and
Bigrams", ACL 2012), one for all kinds and one for each; `scripts/learn_weights.py` learns it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from profiles.context import StatusKind
from sandboxes.scrub.model import Place
from sandboxes.scrub.patterns import NOTHING, any_of
from sandboxes.scrub.rules import Span, TextRule
from sandboxes.scrub.sentences import one_a_line
from sandboxes.scrub.weights import BIAS, Table, read_table

SHIPPED: Final = Path(__file__).parent / "weights.tsv"
STRONG: Final = "(strong)"
LOOSE: Final = "(loose)"
_TOKEN: Final = re.compile(r"[a-z]+|[0-9]+|[^\sa-z0-9]")
_MARKS: Final = b".,;:!?()'\""
_SHARE: Final = 0.6  # of what blanks part that must be words; records, tables and code have fewer
_DIGITS: Final = re.compile(r"[0-9]+")
_ENDINGS: Final = "(?:ments?|ations?|ings?|edly|ed|ions?|ers?|es|s|e|ly)"
_ENDING: Final = re.compile(rf"(?<=[a-z]{{4}}){_ENDINGS}$")
_LONGEST: Final = 400  # characters of a sentence; longer ones are tables, logs and code
_FEWEST: Final = 5  # words of a sentence; shorter ones are what the rules know
_EXAMPLE: Final = "You'll be put out to grass."


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return a word in lower case without its ending: forms of a word are weighed alike."""
    return _ENDING.sub("", word)


def features(sentence: str) -> set[str]:
    """Return what is weighed of a sentence: stems, signs, and pairs of them that follow each other."""
    tokens = [*map(stem, _TOKEN.findall(_DIGITS.sub("0", sentence.lower())))]
    return {*tokens, *map(" ".join, zip(["^", *tokens], [*tokens, "$"], strict=True))}


def is_prose(line: bytes) -> bool:
    """Return whether a sentence in lower case is one: of words, not of names, values and signs."""
    tokens = line.split() if len(line) <= _LONGEST else []
    words = sum(token.strip(_MARKS).isalpha() for token in tokens)
    return words >= max(_FEWEST, _SHARE * len(tokens))


@dataclass(frozen=True, slots=True)
class Weigher:
    """Weighs sentences.

    Attributes:
        bias: what a sentence has to outweigh, below zero.
        strong: finds a word of which a sentence that can tell has one.
        loose: what a sentence weighs at the least that tells where no ordinary documents stand.
        table: the weights.
    """

    bias: float
    strong: Any
    loose: float
    table: Table

    def score(self, sentence: str) -> float:
        """Return by how much a sentence outweighs the bias for telling anything; below zero it does not."""
        return self.bias + self.table.sum(features(sentence))

    def rule(self, sentence: str) -> TextRule | None:
        """Return the rule by which a sentence tells, if it does."""
        found = features(sentence)
        score, kind = self.table.best(found, self.bias + self.table.sum(found))
        return None if kind is None or score <= self.loose else _rule_of(kind, surely=score > 0)

    def denies(self, rule: str, view: bytes, start: int) -> bool:
        """Return whether the words of a sentence speak against what a rule found at a place of a view."""
        least = self.table.least.get(rule)
        if least is None:
            return False
        lines = one_a_line(view).lower()
        first, last = lines.rfind(b"\n", 0, start) + 1, lines.find(b"\n", start)
        sentence = lines[first : last if last >= 0 else len(lines)]
        return is_prose(sentence) and self.score(sentence.decode("ascii")) < least

    def find(self, lines: bytes) -> Iterator[tuple[int, int, TextRule]]:
        """Yield sentences that tell, of a view in which every sentence ends its line, and by which rule."""
        lines, end = lines.lower(), 0
        while (found := self.strong.search(lines, end)) is not None:
            start, last = lines.rfind(b"\n", 0, found.end()) + 1, lines.find(b"\n", found.end())
            end = len(lines) if last < 0 else last
            line = lines[start:end]
            rule = self.rule(line.decode("ascii")) if is_prose(line) else None
            if rule is not None:
                yield start, end, rule


def read_weights(path: Path = SHIPPED) -> Weigher:
    """Return the weights of a file.

    Raises:
        PackError: it cannot be read, or a line is not a feature, a weight and a kind.
    """
    table = read_table(path, (BIAS, STRONG, LOOSE))
    bias, strong, loose = table.settings.values()
    enough = sorted(one for one, weight in table.weights.items() if weight >= strong and one.isalpha())
    word = rf"(?:^|[^a-z\n])(?:{'|'.join(enough) or NOTHING}){_ENDINGS}?(?:[^a-z\n]|$)"
    return Weigher(bias, any_of((word,)), loose, table)


@cache
def _rule_of(kind: StatusKind, *, surely: bool) -> TextRule:
    """Return the rule that a sentence of a kind is reported under; one that is less sure spares results.

    Headers and the envelopes of protocols hold names, values and short words of programs, which rules know.
    """
    spared = {Place.HEADER} if surely else {Place.HEADER, Place.RESULT}
    where = tuple(place for place in Place if place not in spared)
    return TextRule(
        id=f"weighed-{kind}",
        kind=kind,
        patterns=("-",),
        put="",
        examples=(_EXAMPLE,),
        span=Span.SENTENCE,
        where=where,
    )
