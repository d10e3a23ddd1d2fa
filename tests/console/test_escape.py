"""What an agent writes reaches a terminal as visible text, never as a command to it."""

import json
import sys
import unicodedata

import pytest

from console.escape import clip, escape, escape_json, escape_lines, is_safe, width

C0_AND_C1 = [chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))]
BIDI = list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ZERO_WIDTH = list("\u00ad\u034f\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\ufe0f\U000e0100")
LOOKS_EMPTY = list("\u00a0\u115f\u1160\u2000\u2003\u2800\u3000\u3164\uffa0\u2028\u2029")
TAGS = [chr(number) for number in range(0xE0000, 0xE0080)]


@pytest.mark.parametrize("character", [*C0_AND_C1, *BIDI, *ZERO_WIDTH, *LOOKS_EMPTY, *TAGS], ids=ascii)
def test_no_control_bidi_or_invisible_character_survives(character: str) -> None:
    shown = escape(f"a{character}b")

    assert character not in shown
    assert shown.startswith("a\\")
    assert shown.endswith("b")


def test_every_character_of_an_unsafe_category_is_spelled_out_and_no_other_is_changed() -> None:
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if character == "\\":
            continue
        shown = escape(character)
        assert (shown == character) == is_safe(character), hex(number)
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            assert shown.isascii(), hex(number)


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("title", "\x1b]0;pwned\x07", r"\x1b]0;pwned\x07"),
        ("clipboard", "\x1b]52;c;cm0gLXJm\x1b\\", r"\x1b]52;c;cm0gLXJm\x1b\\"),
        ("hyperlink", "\x1b]8;;https://a.example\x1b\\b\x1b]8;;\x1b\\", None),
        ("clear screen", "ok\x1b[2J\x1b[H", r"ok\x1b[2J\x1b[H"),
        ("c1 sequence", "\x9b31mred", r"\x9b31mred"),
        ("device control", "\x90q\x9c", r"\x90q\x9c"),
        ("overwrite the line", "no\rok", r"no\rok"),
        ("erase by backspace", "no\b\bok", r"no\x08\x08ok"),
        ("trojan source", "\u202etxt.exe", r"\u202etxt.exe"),
        ("new line", "one\ntwo\tthree", r"one\ntwo\tthree"),
        ("lone surrogate", "\ud800", r"\ud800"),
        ("tag", "\U000e0041", r"\U000e0041"),
        ("nul", "a\0b", r"a\x00b"),
    ],
)
def test_terminal_sequences_become_text(name: str, text: str, shown: str | None) -> None:
    del name
    assert "\x1b" not in escape(text)
    assert shown is None or escape(text) == shown


def test_text_that_spells_an_escape_differs_from_the_character_it_spells() -> None:
    assert escape("\\x1b") == "\\\\x1b"
    assert escape("\x1b") == "\\x1b"


def test_letters_of_all_scripts_stay_readable() -> None:
    text = "naïve Ωμέγα привет 日本語 العربية עברית 한국어 ไทย 👍"

    assert escape(text) == text


def test_marks_piled_up_to_cover_other_lines_are_spelled_out() -> None:
    assert escape("e\u0301\u0323") == "e\u0301\u0323"
    assert escape("e" + "\u0301" * 5) == "e\u0301\u0301" + "\\u0301" * 3


def test_lines_stay_lines_and_tabs_become_spaces() -> None:
    assert escape_lines("a\tb\nc\x1b[0m\n") == ["a   b", "c\\x1b[0m", ""]


@pytest.mark.parametrize("indent", [None, 2])
def test_json_stays_the_same_value_with_nothing_unsafe_in_it(indent: int | None) -> None:
    value = {
        "a\u202e": ["\x1b[2J\x7f\x9b", "\U000e0041", "日本", "\\x1b", 2**63, 1.5, None, "e" + "\u0301" * 9]
    }

    shown = escape_json(value, indent=indent)

    assert json.loads(shown) == value
    assert all(is_safe(character) for character in shown.replace("\n", ""))
    assert "日本" in shown


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 5, "日本…"),
        ("日本語", 6, "日本語"),
        ("日本語", 4, "日…"),
    ],
)
def test_clipping_counts_columns_not_characters(text: str, columns: int, shown: str) -> None:
    assert clip(text, columns) == shown
    assert width(clip(text, columns)) <= columns
