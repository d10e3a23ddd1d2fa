"""Recorded lines: `{"type":"action","tool":..,"args":..}` and `{"type":"result","tool":..,"text":..}`.

A line that cannot be read without doubt is refused: duplicate keys, NaN, unknown types or keys, and too deep
nesting.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Final

from runtime.canonical import JsonValue

LINE_BYTES: Final = 33_554_432
_ACTION_KEYS = frozenset({"type", "tool", "args", "rationale", "id"})
_RESULT_KEYS = frozenset({"type", "tool", "text", "id"})


class LineError(ValueError):
    """A line that cannot be read."""


@dataclass(frozen=True)
class ActionLine:
    """What the agent wanted to do."""

    tool: str
    args: Mapping[str, JsonValue] = field(default_factory=dict)
    rationale: str | None = None


@dataclass(frozen=True)
class ResultLine:
    """What a tool answered. It is kept for following values; nothing is decided on it yet."""

    tool: str
    text: str


def read_lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines with their numbers from 1; empty lines at the very end are not lines.

    A line above `LINE_BYTES` is yielded in part, which `parse_line` refuses.
    """
    empty: list[int] = []
    number = 0
    while raw := stream.readline(LINE_BYTES + 1):
        number += 1
        _skip_rest(stream, raw)
        if not raw.strip():
            empty.append(number)
            continue
        yield from ((before, b"") for before in empty)
        empty.clear()
        yield number, raw


def parse_line(raw: bytes) -> ActionLine | ResultLine:
    """Read one line.

    Raises:
        LineError: it is not exactly one action or result.
    """
    if len(raw) > LINE_BYTES:
        raise LineError(f"the line has more than {LINE_BYTES} bytes")
    try:
        fields = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise LineError(f"not one JSON object in UTF-8: {error}") from error
    if not isinstance(fields, dict):
        raise LineError("not a JSON object")
    if fields.get("type") == "action":
        return _action(fields)
    if fields.get("type") == "result":
        return _result(fields)
    raise LineError("`type` is neither `action` nor `result`")


def _action(fields: Mapping[str, JsonValue]) -> ActionLine:
    _only(fields, _ACTION_KEYS)
    args, rationale = fields.get("args"), fields.get("rationale")
    if not isinstance(args, dict):
        raise LineError("`args` is not an object")
    if rationale is not None and not isinstance(rationale, str):
        raise LineError("`rationale` is not text")
    return ActionLine(_text(fields, "tool"), args, rationale)


def _result(fields: Mapping[str, JsonValue]) -> ResultLine:
    _only(fields, _RESULT_KEYS)
    return ResultLine(_text(fields, "tool"), _text(fields, "text"))


def _text(fields: Mapping[str, JsonValue], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str):
        raise LineError(f"`{key}` is not text")
    return value


def _only(fields: Mapping[str, JsonValue], known: frozenset[str]) -> None:
    if unknown := sorted(fields.keys() - known):
        raise LineError(f"unknown key {unknown[0][:60]!r}")


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise LineError("a key appears twice")
    return fields


def _no_constant(name: str) -> JsonValue:
    raise LineError(f"{name} is not JSON")


def _skip_rest(stream: IO[bytes], raw: bytes) -> None:
    while len(raw) > LINE_BYTES and not raw.endswith(b"\n"):
        raw = stream.readline(LINE_BYTES + 1)
        if not raw:
            return
