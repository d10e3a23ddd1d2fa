"""Threat: what is kept of patterns' needs is stale, torn or foreign, and rules find nothing (R-20)."""

import json
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.context.proofs import SOURCES
from sandboxes.scrub.forms import WORDS
from sandboxes.scrub.index import Needed
from sandboxes.scrub.kept import Kept, kept_place, read_kept
from sandboxes.scrub.pack import SHIPPED, Pack
from sandboxes.scrub.rules import read_file

PATTERN = r"\bcat\b"
FOUND = (Needed(WORDS, frozenset({b" cat ", b" cats "}), 0.25),)
OTHER = (replace(FOUND[0], literals=frozenset({b" dog "})),)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A file in which the needs of one pattern are kept."""
    made = tmp_path / "byte-code" / "kept.needs"
    kept = Kept()
    kept.of(PATTERN, lambda: FOUND)
    kept.keep(made)
    return made


def _asked(place: Path | None) -> tuple[Needed, ...]:
    """What is looked for of the pattern; where it is not kept, it is found out to be another."""
    return read_kept(place).of(PATTERN, lambda: OTHER)


def test_what_was_found_out_is_not_found_out_again(place: Path) -> None:
    assert _asked(place) == FOUND
    assert _asked(place)[0].rate == FOUND[0].rate
    assert stat.S_IMODE(place.stat().st_mode) == 0o644
    assert [*place.parent.iterdir()] == [place]


def test_another_pattern_is_found_out(place: Path) -> None:
    assert read_kept(place).of(rf"{PATTERN}s", lambda: OTHER) == OTHER


def _edited(edit: Callable[[list[Any]], list[Any]]) -> Callable[[str], str]:
    """Change the lists of the one pattern."""

    def edited(text: str) -> str:
        ((made_by, told),) = json.loads(text).items()
        return json.dumps({made_by: {key: [*map(edit, lists)] for key, lists in told.items()}})

    return edited


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:0],
        lambda text: text[:-5],
        lambda text: f"[{text}]",
        lambda text: text.replace('{"', '{"0', 1),
        _edited(lambda one: ["shouts", *one[1:]]),
        _edited(lambda one: [one[0], -1.0, one[2]]),
        _edited(lambda one: [one[0], float("nan"), one[2]]),
        _edited(lambda one: [*one[:2], []]),
        _edited(lambda one: [*one[:2], [""]]),
        _edited(lambda one: [*one[:2], [7]]),
        _edited(lambda one: [*one, 1]),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_not_used(place: Path, change: Callable[[str], str]) -> None:
    """It is torn, of another shape, or was made by other code: everything is found out anew."""
    place.write_text(change(place.read_text()))

    assert _asked(place) == OTHER


def test_bytes_that_are_no_text_and_a_directory_are_not_used(place: Path) -> None:
    place.write_bytes(b"\xff\xfe")
    assert _asked(place) == OTHER
    place.unlink()
    place.mkdir()
    assert _asked(place) == OTHER


def test_without_a_place_nothing_is_kept() -> None:
    kept = read_kept(None)

    assert kept.of(PATTERN, lambda: FOUND) == FOUND
    kept.keep(None)


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_fails(place: Path) -> None:
    place.unlink()
    place.mkdir()
    (place / "in the way").touch()
    kept = Kept()
    kept.of(PATTERN, lambda: FOUND)
    kept.keep(place)

    assert [*place.parent.iterdir()] == [place]


def test_patterns_that_are_gone_are_kept_no_longer(place: Path) -> None:
    kept = read_kept(place)
    kept.of("another", lambda: OTHER)
    kept.keep(place)

    assert _asked(place) == OTHER
    assert read_kept(place).of("another", lambda: FOUND) == OTHER


def test_rules_ask_the_same_whether_what_they_need_was_kept_or_not(tmp_path: Path) -> None:
    """What is kept of the shipped rules is what is found out, to the last literal and rate."""
    files = [read_file(file) for file in sorted(SHIPPED.glob("*.yaml"))]
    place, kept = tmp_path / "kept.needs", Kept()
    found = [matcher.needs for matcher in Pack(files, kept=kept, tried=True).gate.matchers]
    kept.keep(place)
    again = [matcher.needs for matcher in Pack(files, kept=read_kept(place), tried=True).gate.matchers]

    assert again == found
    assert [[one.rate for one in needs] for needs in again] == [
        [one.rate for one in needs] for needs in found
    ]


def test_what_is_kept_is_no_part_of_the_code_that_a_proof_names() -> None:
    """A proof counts for the same code, whether something was kept beside it or not."""
    place = kept_place()

    assert place is not None
    assert place.parent.name == "__pycache__" or sys.pycache_prefix
    assert not place.name.endswith(SOURCES)
