"""Turning the findings of pydantic into problems with a place: file, line, key, got, expected."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from profiles.base import Place
from profiles.errors import Problem, dotted
from profiles.yaml_source import Source

_NEVER_ALL = "; nothing stands for all: name each one"
_SHOWN = 60
_KIND = "kind"
_KIND_ERRORS = ("union_tag_invalid", "union_tag_not_found")


@dataclass(frozen=True)
class _Spoken:
    """What a model's JSON schema says for people.

    Attributes:
        keys: The names of its keys.
        shapes: In words, what a pattern asks for.
    """

    keys: frozenset[str]
    shapes: Mapping[str, str]


def problems_of(error: ValidationError, source: Source, model: type[BaseModel]) -> list[Problem]:
    """List what a model refused, in the order of the file.

    Args:
        error: What pydantic raised.
        source: The data that was refused, with its lines.
        model: The model that refused it; its key names serve for suggestions.

    Returns:
        One problem for each finding.
    """
    parts = list(_parts_of(model.model_json_schema()))
    spoken = _Spoken(
        frozenset(key for part in parts for key in part.get("properties", ())),
        {part["pattern"]: part["description"] for part in parts if _is_shape(part)},
    )
    details = (detail for detail in error.errors(include_url=False) if not _is_echo(detail))
    found = [_problem(detail, source, spoken) for detail in details]
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)


def _is_echo(detail: ErrorDetails) -> bool:
    """Whether a list counts as too short only because its items were refused, each for itself."""
    return detail["type"] == "too_short" and len(detail["input"]) >= _context(detail).get("min_length", 0)


def _problem(detail: ErrorDetails, source: Source, spoken: _Spoken) -> Problem:
    place = _place(detail, source)
    return Problem(dotted(place), _message(detail, spoken), source.line_of(place))


def _place(detail: ErrorDetails, source: Source) -> Place:
    """Keep the steps that stand in the file: pydantic also names the branches of its unions."""
    place: Place = ()
    for step in detail["loc"]:
        if (*place, step) in source.lines:
            place = (*place, step)
    if detail["type"] in _KIND_ERRORS:
        return (*place, _KIND)
    missing = detail["type"] == "missing" and isinstance(detail["input"], Mapping)
    return (*place, detail["loc"][-1]) if missing else place


def _message(detail: ErrorDetails, spoken: _Spoken) -> str:
    kind, got = detail["type"], detail["input"]
    if kind in _KIND_ERRORS and isinstance(got, Mapping):
        kinds = _context(detail).get("expected_tags", "its kinds")
        return f"got {_shown(got.get(_KIND))}, expected one of {kinds}"
    if kind == "missing":
        return "is missing; it has no default"
    if kind == "extra_forbidden":
        return f"unknown key{_suggestion(str(detail['loc'][-1]), spoken.keys)}"
    if kind == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    hint = _NEVER_ALL if got is None or got in ("*", "all", "any") else ""
    return f"got {_shown(got)}, expected {_expected(detail, spoken)}{hint}"


def _expected(detail: ErrorDetails, spoken: _Spoken) -> str:
    if detail["type"] == "string_pattern_mismatch":
        pattern = _context(detail)["pattern"]
        return spoken.shapes.get(pattern) or f"text that matches {pattern}"
    if detail["type"] in ("enum", "literal_error"):
        return f"one of {_context(detail)['expected']}"
    said = detail["msg"].partition(" should ")[2] or detail["msg"]
    said = said.removeprefix("be ").removeprefix("have ").partition(" after validation")[0]
    return (
        said.replace("a valid array", "a list")
        .replace("a valid tuple", "a list")
        .replace("an object", "keys")
    )


def _context(detail: ErrorDetails) -> Mapping[str, Any]:
    return detail.get("ctx") or {}


def _suggestion(key: str, keys: frozenset[str]) -> str:
    if key == "traits":
        return "; traits belong to `agent register`"
    near = difflib.get_close_matches(key, keys - {key}, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "keys with values"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _is_shape(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("pattern"), str) and isinstance(part.get("description"), str)


def _parts_of(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Walk through all that describes something in a JSON schema."""
    inner: Iterable[Any] = schema if isinstance(schema, list) else ()
    if isinstance(schema, dict):
        yield schema
        inner = schema.values()
    for part in inner:
        yield from _parts_of(part)
