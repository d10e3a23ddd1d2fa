"""A value of strangers as a person reads it: members on lines of their own, texts of several lines as such.

A text of several lines stands below its name with `| ` before each of its lines, any other value as JSON. So
a line end inside a text is a line end here, and no text can pass for a member.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from console.escape import escape, escape_json, escape_lines

_DEEPEST = 40


def tree_lines(value: Any, indent: str = "") -> Iterator[str]:
    """Yield safe lines that show a JSON value whole.

    Args:
        value: of any size; what is nested deeper than people follow stands on one line.
        indent: what each line begins with, spaces.
    """
    if isinstance(value, str) and "\n" in value:
        yield from (f"{indent}| {line}" for line in escape_lines(value))
    elif value and isinstance(value, Mapping | list) and len(indent) < _DEEPEST:
        for head, inner in _members(value):
            yield from _member(indent + head, inner, indent + "  ")
    else:
        yield indent + escape_json(value)


def _members(value: Mapping[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{escape(name)}:", inner) for name, inner in value.items())
    else:
        yield from (("-", inner) for inner in value)


def _member(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, str) and "\n" in value:
        yield f"{head} text of {value.count(chr(10)) + 1:,} lines, {len(value):,} characters"
        yield from tree_lines(value, indent)
    elif value and isinstance(value, Mapping | list) and len(indent) < _DEEPEST:
        yield head
        yield from tree_lines(value, indent)
    else:
        yield f"{head} {escape_json(value)}"
