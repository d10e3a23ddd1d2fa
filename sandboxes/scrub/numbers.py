"""JSON whose numbers are spelled as they were (RFC 8259, section 6): no digit of a long decimal is lost."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self


class Spelled(float):
    """A number that a float would spell in another way."""

    spelling: str

    def __new__(cls, spelling: float | str) -> Self:
        """Take a number as JSON spells it."""
        made = super().__new__(cls, spelling)
        made.spelling = str(spelling)
        return made

    def __str__(self) -> str:
        """Return it as it was spelled."""
        return self.spelling


def read(text: str, members: Callable[[list[tuple[str, Any]]], dict[str, Any]]) -> Any:
    """Return a JSON value; `members` makes a map of the members of one.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    whole = _whole if "-0" in text else int
    return json.loads(text, object_pairs_hook=members, parse_float=_number, parse_int=whole)


def written(value: Any, like: str) -> str:
    """Return a JSON value with blanks, ends of lines and letters beyond ASCII as a text has them."""
    indent = 2 if "\n" in like else None
    separators = (",", ": ") if indent else (", ", ": ") if ": " in like else (",", ":")
    write = json.JSONEncoder(ensure_ascii=like.isascii()).encode
    return "".join(_pieces(value, write, separators, indent, "\n"))


def _number(spelling: str) -> float:
    number = float(spelling)
    return number if repr(number) == spelling else Spelled(spelling)


def _whole(spelling: str) -> float:
    return Spelled(spelling) if spelling == "-0" else int(spelling)


def _pieces(
    value: Any, write: Callable[[Any], str], separators: tuple[str, str], indent: int | None, end: str
) -> list[str]:
    """Return the pieces of a value as `json.dumps` would write it, but for numbers."""
    if isinstance(value, Spelled):
        return [value.spelling]
    if not value or isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        return [write(value)]
    inner = end + " " * indent if indent else ""
    named = isinstance(value, Mapping)
    pieces = ["{" if named else "["]
    for at, item in enumerate(value):
        pieces += (separators[0] if at else "", inner)
        if named:
            pieces += (write(item), separators[1])
        pieces += _pieces(value[item] if named else item, write, separators, indent, inner)
    return [*pieces, end if indent else "", "}" if named else "]"]
