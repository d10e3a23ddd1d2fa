"""Reading values as the receiving program will, or saying that they cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.readings import LOWER_CASE_ROLES, fold, read_text
from profiles.tools import ArgumentRole

READINGS = [
    (ArgumentRole.RECIPIENT, "AP@Example.com", "ap@example.com"),
    (ArgumentRole.RECIPIENT, "#general", "#general"),
    (ArgumentRole.RECIPIENT, "+49301234", "+49301234"),
    (ArgumentRole.RECIPIENT, "a@x.example,b@y.example", None),
    (ArgumentRole.RECIPIENT, "a@x.example b@y.example", None),
    (ArgumentRole.RECIPIENT, "a@x.example;b@y.example", None),
    (ArgumentRole.RECIPIENT, "Ann <a@x.example>", None),
    (ArgumentRole.RECIPIENT, "a@evil.example@x.example", None),
    (ArgumentRole.RECIPIENT, "a%evil.example@x.example", None),
    (ArgumentRole.RECIPIENT, "evil.example!a@x.example", None),
    (ArgumentRole.RECIPIENT, '"a b"@x.example', None),
    (ArgumentRole.RECIPIENT, "a@x.example\r\nBcc: b@y.example", None),
    (ArgumentRole.RECIPIENT, "a@x.example\x00", None),
    (ArgumentRole.RECIPIENT, "ａ@x.example", None),  # noqa: RUF001 - a full-width letter is the point
    (ArgumentRole.RECIPIENT, "а@x.example", None),  # noqa: RUF001 - a Cyrillic letter is the point
    (ArgumentRole.RECIPIENT, "", None),
    (ArgumentRole.HOST, "API.Example.com.", "api.example.com"),
    (ArgumentRole.HOST, "h:8443", "h:8443"),
    (ArgumentRole.HOST, "bücher.example", None),
    (ArgumentRole.HOST, "a..b", None),
    (ArgumentRole.HOST, "a b", None),
    (ArgumentRole.HOST, "[::1]", None),
    (ArgumentRole.URL, "https://Example.com/a?b#c", "example.com"),
    (ArgumentRole.URL, "HTTP://example.com:8080", "example.com:8080"),
    (ArgumentRole.URL, "https://example.com@evil.example/", None),
    (ArgumentRole.URL, "https://example.com\\@evil.example/", None),
    (ArgumentRole.URL, "https://evil.example\\.example.com/", None),
    (ArgumentRole.URL, "//evil.example/", None),
    (ArgumentRole.URL, "javascript:alert(1)", None),
    (ArgumentRole.URL, "https://example.com/\thttps://evil.example", None),
    (ArgumentRole.PATH, "a/../.git/config", ".git/config"),
    (ArgumentRole.PATH, "./a//b/.", "a/b"),
    (ArgumentRole.PATH, "//etc/passwd", "/etc/passwd"),
    (ArgumentRole.PATH, "a/../../x", "../x"),
    (ArgumentRole.PATH, "a\\b", None),
    (ArgumentRole.PATH, "a\x00b", None),
    (ArgumentRole.PATH, "", None),
    (ArgumentRole.PATH, "．env", None),  # noqa: RUF001 - a full-width stop is the point
    (ArgumentRole.PATH, "a\u200b.env", None),
    (ArgumentRole.COLLECTION, "HR", "HR"),
    (ArgumentRole.COLLECTION, "H\u200dR", None),
    (ArgumentRole.COLLECTION, "e\u0301te", None),
    (ArgumentRole.COLLECTION, "été", "été"),
    (ArgumentRole.ID, "a\nb", None),
    (ArgumentRole.BODY, "any\ntext \u200b at all", "any\ntext \u200b at all"),
    (ArgumentRole.BODY, "half \ud800 a pair", None),
]


@pytest.mark.parametrize(("role", "text", "read"), READINGS)
def test_a_text_has_one_reading_or_none(role: ArgumentRole, text: str, read: str | None) -> None:
    assert read_text(role, text) == read


@given(role=st.sampled_from(list(ArgumentRole)), text=st.text())
def test_a_reading_reads_as_itself(role: ArgumentRole, text: str) -> None:
    read = read_text(role, text)

    if read is not None and role is not ArgumentRole.URL:
        assert read_text(role, read) == read
    if read is not None and role in LOWER_CASE_ROLES:
        assert read.isascii()
        assert read == read.lower()


@given(text=st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


FOLDED = [("ＳＥＣＲＥＴ", "secret"), ("Straße", "strasse"), ("ﬁle", "file")]  # noqa: RUF001 - that is the point


@pytest.mark.parametrize(("text", "folded"), FOLDED)
def test_letter_case_and_compatibility_forms_fold_away(text: str, folded: str) -> None:
    assert fold(text) == folded
