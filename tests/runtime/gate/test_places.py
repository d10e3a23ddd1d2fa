"""Where an action reaches, read without guessing."""

import pytest

from profiles.known import Known
from profiles.schema import ArgumentRole
from runtime.gate.lookalike import printable, why_doubtful
from runtime.gate.places import Place, places_of, resource_place

KNOWN = Known(
    collections=("INBOX", "docs", "/srv/data", "Ärzte", "test://static"),
    recipients=("*@known.example", "bob@partner.example", "Alice"),
    hosts=("known.example", "*.trusted.example", "port.example:8443"),
)
R = ArgumentRole


@pytest.mark.parametrize(
    ("role", "value"),
    [
        (R.RECIPIENT, "a@known.example"),
        (R.RECIPIENT, "A@KNOWN.example"),
        (R.RECIPIENT, "Ann Smith <a@known.example>"),
        (R.RECIPIENT, "a@known.example, bob@partner.example"),
        (R.RECIPIENT, "Alice"),
        (R.HOST, "known.example"),
        (R.HOST, "KNOWN.example."),
        (R.HOST, "a.b.trusted.example"),
        (R.URL, "https://known.example"),
        (R.URL, "https://known.example:443/x"),
        (R.URL, "known.example/path?x=1"),
        (R.URL, "https://port.example:8443/"),
        (R.COLLECTION, "INBOX"),
        (R.COLLECTION, "Ärzte"),
        (R.PATH, "docs"),
        (R.PATH, "docs/a/b.txt"),
        (R.PATH, "./docs/a.txt"),
        (R.PATH, "/srv/data/x"),
    ],
)
def test_declared_places_are_known(role: ArgumentRole, value: str) -> None:
    places = list(places_of(role, value, KNOWN))

    assert places
    assert all(place.known for place in places)


@pytest.mark.parametrize(
    ("role", "value"),
    [
        (R.RECIPIENT, "eve@evil.example"),
        (R.RECIPIENT, "a@known.example.evil.example"),
        (R.RECIPIENT, "a@sub.known.example"),
        (R.RECIPIENT, '"a@known.example" <eve@evil.example>'),
        (R.RECIPIENT, "a@known.example <eve@evil.example>"),
        (R.RECIPIENT, "eve@evil.example@known.example"),
        (R.RECIPIENT, "a@known.example\r\nBcc: eve@evil.example"),
        (R.RECIPIENT, "a\u0000@known.example"),
        (R.RECIPIENT, "\u0430@known.example\u200b"),
        (R.RECIPIENT, "а\u006cice@known.example"),  # noqa: RUF001 the Cyrillic letter is the attack
        (R.RECIPIENT, "\uff41@known.example"),
        (R.RECIPIENT, "a@known\u3002example"),
        (R.RECIPIENT, "a\u202e@known.example"),
        (R.RECIPIENT, ""),
        (R.RECIPIENT, " "),
        (R.HOST, "known.example.evil.example"),
        (R.HOST, "trusted.example"),
        (R.HOST, "eviltrusted.example"),
        (R.HOST, "known.example:8443"),
        (R.HOST, "known.example/x"),
        (R.URL, "https://known.example@evil.example/"),
        (R.URL, "https://evil.example#known.example"),
        (R.URL, "https://evil.example\\@known.example/"),
        (R.URL, "https://known.example:8443/"),
        (R.URL, "ftp://known.example/"),
        (R.URL, "javascript:known.example"),
        (R.URL, "//known.example/"),
        (R.URL, "https://kno\twn.example/"),
        (R.URL, "https://[::1"),
        (R.URL, "https://known.example:99999/"),
        (R.URL, ""),
        (R.COLLECTION, "inbox"),
        (R.COLLECTION, "INBOX "),
        (R.COLLECTION, "INBOX\u200b"),
        (R.COLLECTION, "\u0406NBOX"),
        (R.COLLECTION, "ＩＮＢＯＸ"),  # noqa: RUF001 the full-width letters are the attack
        (R.PATH, "docs/../etc/passwd"),
        (R.PATH, "docs/%2e%2e/etc"),
        (R.PATH, "docs\\..\\x"),
        (R.PATH, "docsy/a"),
        (R.PATH, "~/docs"),
        (R.PATH, "/docs/a"),
        (R.PATH, "/srv/database"),
        (R.PATH, ""),
    ],
)
def test_anything_else_is_new(role: ArgumentRole, value: str) -> None:
    """R-06, R-83: the wrong vendor is not taken for the right one."""
    places = list(places_of(role, value, KNOWN))

    assert places
    assert not all(place.known for place in places)


@pytest.mark.parametrize("role", [R.BODY, R.TEXT, R.QUERY, R.ID, R.OPTION, R.AMOUNT])
def test_other_roles_name_no_place(role: ArgumentRole) -> None:
    assert list(places_of(role, "eve@evil.example", KNOWN)) == []


@pytest.mark.parametrize(
    ("uri", "known"),
    [
        ("test://static", True),
        ("test://static/a/b", True),
        ("test://staticx", False),
        ("test://other", False),
        ("TEST://static", False),
        ("test://static/../x", False),
    ],
)
def test_resources_lie_in_declared_collections(uri: str, known: bool) -> None:
    assert resource_place(uri, KNOWN).known is known


def test_a_path_is_seen_by_its_folder_and_no_higher() -> None:
    """An approval of one file must not open its whole tree."""
    (place,) = places_of(R.PATH, "/home/ann/.ssh/id_rsa", KNOWN)

    assert place == Place("path:/home/ann/.ssh", known=False)


def test_a_doubtful_name_says_why() -> None:
    assert why_doubtful("plain") is None
    assert "invisible" in (why_doubtful("a\u200bb") or "")
    assert "mixes" in (why_doubtful("\u0430lice") or "")
    assert why_doubtful("Отчёты 2026 Q3") is None
    assert why_doubtful("東京オフィス") is None


def test_printable_text_is_one_line_without_escapes() -> None:
    assert printable("a\x1b[31m\nb\x00", 50) == "a\\x1b[31m\\nb\\x00"
    assert len(printable("x" * 1000, 50)) == 50
