"""One pattern of a rule: where it matches in a sentence, and how much of the sentence goes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import re2

from sandboxes.errors import PackError
from sandboxes.scrub.fields import text_pattern
from sandboxes.scrub.index import Needed, looked_for, needed
from sandboxes.scrub.kept import Kept
from sandboxes.scrub.needed import Needs
from sandboxes.scrub.patterns import byte_options
from sandboxes.scrub.rules import FieldRule, Span, TextRule, spelled_out

_LONGEST = 400  # characters of one finding; what is farther apart does not belong together
_MARKER = re.compile(rb"[ \t]*(?:(?:[-+>#|]+|\(?\d{1,2}[.)])[ \t]+)*")


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that a rule found in a view."""

    start: int
    end: int
    rule: TextRule | FieldRule


@dataclass(frozen=True)
class Matcher:
    """A pattern.

    Attributes:
        rule: whose it is.
        written: the pattern, its words written out.
        not_with: what must not stand in the same sentence, written out.
        needs: lists of literals of which a matching sentence holds one each, the rarest first.
    """

    rule: TextRule | FieldRule
    written: str
    not_with: tuple[str, ...]
    needs: tuple[Needed, ...] = ()

    @cached_property
    def pattern(self) -> Any:
        """The pattern compiled, over bytes; the package ships no types.

        Raises:
            PackError: it is not RE2 syntax.
        """
        return compiled(self.rule, self.written)

    @cached_property
    def unless(self) -> tuple[Any, ...]:
        """What must not stand in the same sentence, compiled.

        Raises:
            PackError: it is not RE2 syntax.
        """
        return tuple(compiled(self.rule, one) for one in self.not_with)

    @cached_property
    def tell(self) -> int:
        """The group that tells; 0 is the whole match."""
        names = {
            bytes(n) if isinstance(n, bytes) else n.encode(): i for n, i in self.pattern.groupindex.items()
        }
        return int(names.get(b"tell", 0))

    def check(self) -> None:
        """Compile it now.

        Raises:
            PackError: it is not RE2 syntax.
        """
        _ = self.pattern, self.unless

    def hits(self, data: bytes) -> Iterator[Hit]:
        """Yield what it finds in a view with one sentence a line, in order."""
        place = 0
        while place <= len(data):
            match = self.pattern.search(data, place)
            if match is None:
                return
            start, end = match.span(self.tell)
            if end - start > _LONGEST:
                place = match.start() + 1
                continue
            place = max(end, match.start() + 1)
            if start < end and not self._excused(data, start, end):
                whole = self._sentence or not self.rule.put
                first, last = sentence_at(data, start, end) if self._sentence else (start, end)
                yield Hit(first, last if whole else _before_stop(data, first, last), self.rule)

    def _excused(self, data: bytes, start: int, end: int) -> bool:
        if not self.unless:
            return False
        first, last = line_at(data, start, end)
        return any(pattern.search(data[first:last]) for pattern in self.unless)

    @property
    def _sentence(self) -> bool:
        return isinstance(self.rule, TextRule) and self.rule.span is Span.SENTENCE


def _before_stop(data: bytes, start: int, end: int) -> int:
    """Return where a finding ends without the full stop of its sentence, which stays."""
    stops = data[end - 1 : end] == b"." and data[end : end + 1] in (b"", b"\n") and end - 1 > start
    return end - 1 if stops else end


def matcher_of(rule: TextRule, pattern: str, words: Mapping[str, str], needs: Needs, kept: Kept) -> Matcher:
    """Return a pattern of a rule of text.

    Args:
        rule: whose it is.
        pattern: as it is written there.
        words: lists of words that it may name.
        needs: finds out what it needs, where that is not kept.
        kept: what was found out before.

    Raises:
        PackError: it names words that no file has.
    """
    written = ("(?-i)" if rule.case else "") + spelled_out(pattern, words, rule.id)
    found = kept.of(written, lambda: looked_for(needed(needs.of(pattern))))
    return Matcher(rule, written, _not_with(rule, words), found)


def field_matcher(rule: FieldRule, words: Mapping[str, str]) -> Matcher:
    """Return a rule of fields.

    Raises:
        PackError: its value names words that no file has.
    """
    return Matcher(rule, spelled_out(text_pattern(rule), words, rule.id), _not_with(rule, words))


def _not_with(rule: TextRule | FieldRule, words: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(spelled_out(one, words, rule.id) for one in rule.unless)


def compiled(rule: TextRule | FieldRule, written: str) -> Any:
    """Return a pattern of a rule, its words written out, compiled over bytes.

    Raises:
        PackError: it is not RE2 syntax.
    """
    try:
        return re2.compile(written.encode("ascii"), byte_options())
    except (re2.error, UnicodeEncodeError) as error:
        raise PackError(f"rule {rule.id!r}: {written!r} is not a pattern in RE2 syntax: {error}") from error


def line_at(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the line or, at the end of a sentence, the sentence begins and ends."""
    first, last = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", end)
    for mark in (b". ", b"? ", b"! "):
        first = max(first, data.rfind(mark, first, start) + 2 if mark in data[first:start] else first)
        found = data.find(mark, end, last if last >= 0 else len(data))
        last = found + 1 if found >= 0 else last
    return first, len(data) if last < 0 else last


def sentence_at(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return where the line, without its marker, begins and ends in which something stands."""
    first, stop = line_at(data, start, end)
    marker = _MARKER.match(data, first, start)
    while stop > end and data[stop - 1 : stop].isspace():
        stop -= 1
    return (first if marker is None else marker.end()), stop
