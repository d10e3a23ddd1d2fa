"""Many patterns as one RE2 automaton that cannot end early without being noticed."""

from collections.abc import Iterable
from typing import Any, Final

import re2

_MEMORY_BYTES: Final = 64 * 1024 * 1024
# An RE2 set that runs out of memory says "nothing found". So every text gets an end that must be found.
_CANARY: Final = "\n\u2404handrail-end\u2404"
NOTHING: Final = r"[^\x00-\xff]"  # a pattern that finds nothing


class ScanError(Exception):
    """A text could not be scanned to its end; nothing may be concluded from it."""


class PatternSet:
    """Finds in one pass which of its patterns a text has."""

    def __init__(self, patterns: Iterable[str], *, case_sensitive: bool) -> None:
        """Compile them.

        Args:
            patterns: in RE2's syntax; `find` names each by its place.
            case_sensitive: whether letter case matters where a pattern does not say.
        """
        options = re2.Options()
        options.max_mem = _MEMORY_BYTES
        options.case_sensitive = case_sensitive
        self._set = re2.Set.SearchSet(options)
        for pattern in patterns:
            self._set.Add(pattern)
        self._canary: int = self._set.Add(_CANARY)
        self._set.Compile()

    def find(self, text: str) -> list[int]:
        """Return the places of the patterns that occur in a text of valid characters.

        Raises:
            ScanError: the text could not be scanned to its end.
        """
        return _checked(self._set.Match(text + _CANARY), self._canary)


def byte_options() -> re2.Options:
    """Return RE2's options for patterns over bytes."""
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.case_sensitive = False
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    return options


def any_of(patterns: Iterable[str]) -> Any:
    """Return one pattern over bytes that finds what any of some ASCII patterns finds; none finds nothing."""
    return re2.compile(f"(?m){'|'.join(patterns) or NOTHING}".encode("ascii"), byte_options())


def first_of(pattern: str) -> Any:
    """Return what finds, matched at a place, where the first of an ASCII pattern from there on ends.

    RE2 finds beginnings by running the pattern backwards, for which one of many words takes too much memory.
    """
    return re2.compile(f"(?s).*?(?:{pattern or NOTHING})".encode("ascii"), byte_options())


def _checked(hits: list[int] | None, canary: int) -> list[int]:
    found = hits or []
    if canary not in found:
        raise ScanError("the rule pack ran out of memory before the end of the text")
    return [index for index in found if index != canary]
