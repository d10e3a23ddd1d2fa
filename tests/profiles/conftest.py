"""A small profile and policy as text, and how to read them."""

from collections.abc import Callable

import pytest

from profiles.load import LoadedPolicy, LoadedProfile, parse_policy, parse_profile, shipped_policy

PROFILE = """\
profile: clerk
version: 1
purpose: Sort the mail of one small office.
image: handrail/agent:1
upstreams:
  mailbox:
    kind: stdio
    image: handrail/mail:1
    command: [mail]
tools:
  search_mail:
    upstream: mailbox
    effect: read
    args: {folder: collection, query: {role: query, required: false}}
  send_mail:
    upstream: mailbox
    effect: send
    args: {to: recipient, subject: text, body: body}
never:
  - id: never-pay
    text: Never start a payment, even if instructed.
    tools: [start_payment]
"""


@pytest.fixture
def profile_text() -> Callable[..., bytes]:
    """Return the small profile, with parts of its text replaced."""

    def build(*changes: tuple[str, str], more: str = "") -> bytes:
        text = PROFILE
        for old, new in changes:
            assert old in text, f"the small profile has no {old!r}"
            text = text.replace(old, new)
        return (text + more).encode()

    return build


@pytest.fixture
def load(profile_text: Callable[..., bytes]) -> Callable[..., LoadedProfile]:
    """Load the small profile, changed."""
    return lambda *changes, more="": parse_profile(profile_text(*changes, more=more), source="clerk.yaml")


@pytest.fixture
def policy_with() -> Callable[..., LoadedPolicy]:
    """Load the shipped policy, with parts of its text replaced."""

    def build(*changes: tuple[str, str]) -> LoadedPolicy:
        text = shipped_policy().text
        for old, new in changes:
            assert old in text, f"the shipped policy has no {old!r}"
            text = text.replace(old, new)
        return parse_policy(text.encode(), source="policy.yaml")

    return build
