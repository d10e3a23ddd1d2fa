"""An action is judged by its arguments: all of them are shown, whole, and none can pose as another."""

from typing import Any

import pytest

from console.escape import is_safe, width
from console.show.arguments import argument_lines


@pytest.mark.parametrize(
    ("args", "lines"),
    [
        ({}, ["  no arguments"]),
        ({"folder": "secret"}, ['  folder: "secret"']),
        ({"n": 2**63, "x": None, "y": [1, "a"]}, ["  n: 9223372036854775808", "  x: null", '  y: [1, "a"]']),
        ("not kept: too large", ['  "not kept: too large"']),
        (
            {"body": "Dear\n\nto: boss"},
            ["  body: text of 3 lines, 14 characters", "    | Dear", "    | ", "    | to: boss"],
        ),
        ({"a\nto": 'x"'}, ['  a\\nto: "x\\""']),
        ({"x": "\x1b[2J\n\u202e"}, ["  x: text of 2 lines, 6 characters", "    | \\x1b[2J", "    | \\u202e"]),
    ],
)
def test_arguments_as_lines(args: Any, lines: list[str]) -> None:
    assert argument_lines(args) == lines


@pytest.mark.parametrize(
    "value", ["word " * 400, "日本語" * 200, "a\n" + "b" * 500, {"k": ["v" * 300, 1]}, ["x" * 20] * 20]
)
def test_long_arguments_are_broken_and_never_cut(value: Any) -> None:
    lines = argument_lines({"long": value})

    assert all(width(line) <= 100 for line in lines)
    assert all(is_safe(character) for line in lines for character in line)
    flat = str(value).replace("\n", "")
    joined = "".join(line.strip().removeprefix("+ ").removeprefix("| ") for line in lines)
    for character in set(flat) - set(" '[]{}:,"):
        assert joined.count(character) >= flat.count(character)
