"""JSON is written as it was read: blanks, lines, letters and every number's spelling."""

import json

import pytest

from sandboxes.scrub.numbers import read, written


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[1.00000000000000000001,1e400,-0,0.10,1E+5,-1e-400],"b":{},"c":[],"d":[{"e":null}]}',
        '{"a": [1, 2.5, true], "b": "x: y"}',
        '{\n  "a": [\n    1.10,\n    []\n  ],\n  "b": {\n    "c": -0.0\n  }\n}',
        '{"ü": "ä: é"}',
        '["\\ud800",12345678901234567890123]',
    ],
)
def test_what_is_read_is_written_alike(text: str) -> None:
    assert written(read(text, dict), text) == text


def test_a_number_is_one_all_the_same() -> None:
    (number, zero) = read("[1.50, -0]", dict)
    assert number == 1.5
    assert zero == 0
    assert json.loads(written({"a": [number]}, "")) == {"a": [1.5]}
