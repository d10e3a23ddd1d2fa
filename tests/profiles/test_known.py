"""What counts as seen (R-06)."""

import pytest

from profiles.known import Known
from profiles.load import shipped_profile

KNOWN = Known(
    collections=("INBOX",),
    recipients=("ap@example.com", "*@vendor.example"),
    hosts=("api.example.com", "*.cdn.example", "db.example:5432"),
)
RECIPIENTS = [
    ("ap@example.com", True),
    ("AP@Example.COM", True),
    ("eva@vendor.example", True),
    ("ap@example.com.evil.example", False),
    ("x@sub.vendor.example", False),
    ("x@evil.example@vendor.example", False),
    ("@vendor.example", False),
    ("vendor.example", False),
    ("other@example.com", False),
    ("", False),
]
HOSTS = [
    ("api.example.com", True),
    ("API.example.com.", True),
    ("a.cdn.example", True),
    ("a.b.cdn.example", True),
    ("cdn.example", False),
    ("evilcdn.example", False),
    ("api.example.com.evil.example", False),
    ("db.example:5432", True),
    ("db.example", False),
    ("", False),
]


@pytest.mark.parametrize(("address", "seen"), RECIPIENTS)
def test_a_recipient_is_known_by_name_or_by_domain(address: str, seen: bool) -> None:
    assert KNOWN.has_recipient(address) is seen


@pytest.mark.parametrize(("host", "seen"), HOSTS)
def test_a_host_is_known_by_name_or_under_a_domain(host: str, seen: bool) -> None:
    assert KNOWN.has_host(host) is seen


def test_a_collection_is_known_letter_for_letter() -> None:
    assert KNOWN.has_collection("INBOX")
    assert not KNOWN.has_collection("inbox")
    assert not KNOWN.has_collection("INBOX/HR")


def test_nothing_is_known_by_default() -> None:
    nothing = Known()

    assert not nothing.has_recipient("ap@example.com")
    assert not nothing.has_host("example.com")
    assert not nothing.has_collection("INBOX")


SOURCES = [("ledger", "get_invoice", True), ("mailbox", "read_message", False), ("elsewhere", None, False)]


@pytest.mark.parametrize(("upstream", "tool", "trusted"), SOURCES)
def test_only_a_listed_source_is_trusted(upstream: str, tool: str | None, trusted: bool) -> None:
    assert shipped_profile("action-executor").profile.is_trusted(upstream, tool) is trusted


def test_a_tools_own_entry_beats_its_upstreams() -> None:
    profile = shipped_profile("action-executor").profile
    sources = profile.sources.model_copy(update={"untrusted": ("mailbox", "get_vendor")})
    changed = profile.model_copy(update={"sources": sources})

    assert changed.is_trusted("ledger", "get_invoice")
    assert not changed.is_trusted("ledger", "get_vendor")
