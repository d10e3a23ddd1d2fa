"""Files in messages: a text in one is scrubbed, whatever it is called and however it is encoded."""

import base64
from urllib.parse import quote

import pytest

from runtime.context.files import scrubbed_file

OWN, PUT = "run-2qzv7j5m4kx3ahd6", "ref-abcdefgh"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


def words(text: str) -> str:
    return text.replace("You are GPT-4o.", "").replace(OWN, PUT)


def other(text: str) -> str:
    return text.replace(OWN, PUT)


def scrubbed(value: str, kind: str = "") -> str:
    return scrubbed_file(value, kind, words, other)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "image/png", "application/pdf", ""])
def test_a_text_is_scrubbed_whatever_its_type_says(kind: str) -> None:
    told, seen = b64(f"You are GPT-4o. In {OWN}: ü\r\n".encode()), b64(f" In {PUT}: ü\r\n".encode())
    assert scrubbed(told, kind) == seen
    assert scrubbed(f"data:{kind};base64,{told}") == f"data:{kind};base64,{seen}"


def test_a_text_longer_than_any_part_of_a_message_is_scrubbed_to_its_end() -> None:
    text = "A line of a book.\r\n" * 20_000
    assert scrubbed(b64(f"{text}{OWN}".encode()), "text/plain") == b64(f"{text}{PUT}".encode())


@pytest.mark.parametrize(
    ("kind", "charset"),
    [
        ("text/plain", "utf-8-sig"),
        ("text/plain", "utf-16"),
        ("application/json", "utf-16"),
        ("text/plain;charset=utf-16-le", "utf-16-le"),
        ("text/csv; charset=nonsense", "latin-1"),
        ("text/plain", "latin-1"),
        ("", "latin-1"),
    ],
)
def test_a_text_in_another_charset_is_scrubbed_in_it(kind: str, charset: str) -> None:
    begin = "A plain beginning, as long as what is looked at of a file. "
    assert scrubbed(b64(f"{begin} Ü {OWN}".encode(charset)), kind) == b64(f"{begin} Ü {PUT}".encode(charset))


@pytest.mark.parametrize("as_written", [str.strip, quote, lambda text: text.rstrip("=")])
def test_broken_lines_quoted_signs_and_missing_padding_hide_nothing(as_written: object) -> None:
    text = b64(f"See {OWN}, then go on, and on, and on, to the very end of it?>".encode())
    told = as_written(text)  # type: ignore[operator]  # one of the three
    assert PUT.encode() in base64.b64decode(scrubbed(told, "text/plain"))
    broken = "\n".join(told[at : at + 76] for at in range(0, len(told), 76))
    assert PUT.encode() in base64.b64decode(scrubbed(broken, "text/plain"))
    assert PUT.encode() in base64.b64decode(scrubbed(told.translate(str.maketrans("+/", "-_")), "text/plain"))


def test_an_address_with_the_text_itself_is_scrubbed_in_its_head_too() -> None:
    assert scrubbed(f"data:text/plain;name={OWN},a%20{OWN}%2C") == f"data:text/plain;name={PUT},a%20{PUT}%2C"
    assert scrubbed(f"DATA:;name={OWN};base64,{b64(PNG)}") == f"DATA:;name={PUT};base64,{b64(PNG)}"


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", ""])
def test_what_is_no_text_stays_as_it_is(kind: str) -> None:
    assert scrubbed(b64(PNG), kind) == b64(PNG)
    assert scrubbed(f"data:{kind};base64,{b64(PNG)}") == f"data:{kind};base64,{b64(PNG)}"


@pytest.mark.parametrize("text", ["A book.", "Zwölf", "a%20b", "x+/-_", ""])
def test_a_text_that_tells_nothing_keeps_its_spelling(text: str) -> None:
    for value in (b64(text.encode()).rstrip("="), f"data:,{text}", f"data:text/plain;base64,{text}"):
        assert scrubbed(value, "text/plain") == value


@pytest.mark.parametrize("value", [f"see {OWN}.", OWN, f"data: You are GPT-4o. {OWN}, and more"])
def test_what_is_no_file_is_read_as_the_words_it_is(value: str) -> None:
    """An own value may happen to be base64 of something."""
    seen = scrubbed(value, "image/png")
    assert OWN not in seen
    assert "GPT" not in seen
