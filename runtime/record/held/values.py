"""Values of columns: as they are stored, as the record allows them, and as people may read them."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Boolean, Column, ColumnElement, Integer, String, type_coerce

from runtime.moments import utc_moment, utc_text
from runtime.tables.types import UtcDateTime

_MOST_SHOWN: Final = 200
_AHEAD: Final = timedelta(seconds=2)


class NotBefore(str):
    """A moment as text, or one up to two seconds later: of a clock that was ahead of the record's."""

    __slots__ = ()


class Between(tuple[str, str]):
    """A moment as text, not before the first and not after the second."""

    __slots__ = ()


class OneOf(tuple[Any, ...]):
    """Values of which the record allows each."""

    __slots__ = ()


def allows(expected: Any, got: Any) -> bool:
    """Whether the record allows a value."""
    if expected == got:
        return True
    if isinstance(expected, OneOf):
        return got in expected
    if isinstance(expected, Between):
        return isinstance(got, str) and expected[0] <= got <= expected[1]
    return isinstance(expected, NotBefore) and isinstance(got, str) and expected <= got <= _later(expected)


def _later(moment: str) -> str:
    return utc_text(utc_moment(moment) + _AHEAD)


def as_stored(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column as it is stored: a moment that is none, say, cannot be read otherwise."""
    found = bare(column)
    return found if found is column else found.label(column.name)


def bare(column: Column[Any]) -> ColumnElement[Any]:
    """Return the same, to be compared with."""
    if isinstance(column.type, UtcDateTime):
        return type_coerce(column, String)
    if isinstance(column.type, Boolean):
        return type_coerce(column, Integer)
    return column


def shown(value: Any) -> str:
    """Return a value on one line, as people may read it whoever wrote it, and not too long."""
    if isinstance(value, OneOf):
        return " or ".join(shown(one) for one in value)
    if isinstance(value, Between):
        return f"between {value[0]} and {value[1]}"
    text = ascii(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}... ({len(text)} characters)"


def shown_key(key: tuple[Any, ...]) -> str | int:
    """Return a row's key as people may read it."""
    if len(key) == 1 and isinstance(key[0], int):
        return key[0]
    parts = [part if isinstance(part, str) and part.isprintable() else ascii(part) for part in key]
    return " ".join(part if len(part) <= _MOST_SHOWN else f"{part[:_MOST_SHOWN]}..." for part in parts)
