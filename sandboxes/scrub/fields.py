"""Rules of fields: the same names and shapes for `name: value` in text and for members of JSON."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sandboxes.scrub.rules import FieldRule

_JOINTS = re.compile(r"[_\-./: ]+|(?<=[a-z0-9])(?=[A-Z])")
_BEFORE = r"(?:^|[\s\"'{(\[,;|.*/-])"
# What stands between a name and its value: `: `, `=`, `": "`, ` | `, `\": \"`, ` -> `.
_BETWEEN = r"[*`_\"'\\]{0,3}[ \t]*(?:[:=|]|=>|->|:=)[ \t]*(?:\|[ \t]*)?[*`_\"'\\]{0,3}"

_NAMES = 32_768  # more than the shipped rules have, which are read one after the other and more than once
_WORDS_OF_A_NAME = 8  # the last ones; longer names are texts
_WORDS = r"(?:[A-Za-z0-9]{1,16}[_.-]){0,3}"
_MORE = r"(?:[_.-][A-Za-z0-9]{1,16}|(?-i:[A-Z][a-z0-9]{1,15})){0,3}(?: \(?[A-Za-z]{1,16}\)?){0,2}"


@lru_cache(maxsize=_NAMES)
def normal_name(name: str) -> str:
    """Return a member's name with its words in lower case, joined by one underscore."""
    return "_".join(part.lower() for part in _JOINTS.split(name) if part)


def text_pattern(rule: FieldRule) -> str:
    """Return the pattern that finds a rule's fields in text; names in snake, camel, kebab and dotted form."""
    names = "|".join(name_pattern(name) for name in rule.names)
    before = _WORDS if rule.within or rule.around else ""
    after = _MORE if rule.around else ""
    return f"(?m){_BEFORE}{before}(?:{names}){after}{_BETWEEN}(?P<tell>{rule.value})"


@lru_cache(maxsize=_NAMES)
def name_pattern(name: str) -> str:
    """Return the pattern of a name in snake, camel, kebab and dotted form."""
    return r"[_\-. ]?".join(re.escape(part) for part in normal_name(name).split("_"))


@dataclass(frozen=True, slots=True)
class FieldTable:
    """Finds rules by a member's name.

    Attributes:
        by_name: the places of each name's rules.
        within: names before which other words may stand.
        around: names before and after which other words may stand.
    """

    by_name: Mapping[str, tuple[int, ...]]
    within: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()

    def rules_of(self, name: str, path: tuple[str, ...]) -> tuple[int, ...]:
        """Return the places of the rules for a member, those of the longest name first.

        Args:
            name: of the member.
            path: names of the members that it stands in, outermost first.
        """
        own = normal_name(name)
        full = ("_".join([*map(normal_name, path[start:]), own]) for start in _starts(path))
        known = (*full, *self._within(own), *self._around(normal_name("_".join((*path[-1:], name)))))
        return tuple(dict.fromkeys(rule for part in known for rule in self.by_name.get(part, ())))

    def _within(self, own: str) -> Iterator[str]:
        """The ends of a name before which other words may stand."""
        words = own.split("_")
        ends = ("_".join(words[start:]) for start in range(1, len(words)))
        return (end for end in ends if end in self.within)

    def _around(self, own: str) -> Iterator[str]:
        """The parts of a name around which other words may stand, the longest first."""
        words = own.split("_")[-_WORDS_OF_A_NAME:]
        spans = ((size, start) for size in range(len(words), 0, -1) for start in range(len(words) - size + 1))
        parts = ("_".join(words[start : start + size]) for size, start in spans)
        return (part for part in parts if part in self.around)


def _starts(path: tuple[str, ...]) -> range:
    return range(max(len(path) - 2, 0), len(path) + 1)
