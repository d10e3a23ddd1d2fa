"""A packet on a terminal, in Markdown and as a page: the same words, everything escaped."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from rollout.reviews.packet.model import Audit, Pattern
from rollout.reviews.packet.render import as_html, as_markdown, as_text
from rollout.reviews.packet.words import lines, span
from tests.standins.packets import PACKET


class Page(HTMLParser):
    """Collects what a browser would show, and what it would run or fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name in {"src", "href", "onload", "onclick"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_text_has_every_line_of_the_review_and_fits_the_terminal() -> None:
    """R-92: REQUIREMENTS section 2, `A review job prints`."""
    text = as_text(PACKET)

    for part in (
        "REVIEW rev-2qzv7j5m4kx3ahd6  agent=invoice-bot  dep=9f3a9f3a9f3a  periodic",
        "due             2026-11-20T09:00Z (on time)",
        "observed 6d21h (monitor gap 2h0m excluded)",
        "closing renews grants until 2026-11-29T09:00Z",
        "464 carried out / 8 denied / 0 held / 72 suggested",
        "agreement 55/58  E=0.1600 of 20 at 0.98 (inconclusive)",
        "CP95 >= 0.8723",
        "harmful 0 (the true rate may be up to 5.0 %)",
        "19h0m of 1d0h",
        "pattern seen 3x -> ESCALATED inc-8 (no leadership acknowledgement)",
        "send: G2 G3 G5",
        "verified to 18231 at 2026-11-20T09:00Z, anchored to 18176",
        "Are priorities shifting?",
    ):
        assert part in " ".join(text.split("\n" + " " * 18)), part
    assert max(map(len, text.splitlines())) <= 100


def test_what_is_not_known_is_not_available_and_never_zero() -> None:
    """R-39, F18."""
    said = {line.name: line.text for line in lines(PACKET)}

    assert said["drift"] == said["drills"] == said["first-seen"] == "not available"
    unverified = replace(PACKET, audit=Audit(5, 0, None, None))
    assert any("not verified" in line.text and line.warns for line in lines(unverified))


def test_the_page_runs_nothing_fetches_nothing_and_shows_the_plots() -> None:
    page = Page(as_html(PACKET))

    assert "script" not in page.tags
    assert page.links == []
    assert page.tags.count("svg") == 2
    assert page.tags.count("rect") > 16


HOSTILE = "<script>alert(1)</script>\x1b[31m|`*x*`"


@pytest.mark.parametrize("place", ["agent", "owner"])
def test_a_hostile_name_is_only_text_in_every_rendering(place: str) -> None:
    packet = replace(PACKET, head=replace(PACKET.head, **{place: HOSTILE}))

    assert "\x1b" not in as_text(packet)
    markdown = as_markdown(packet)
    assert "<script>" not in markdown
    assert "\x1b" not in markdown
    page = Page(as_html(packet))
    assert "script" not in page.tags
    assert any("<script>alert(1)</script>" in text for text in page.texts)


def test_a_hostile_pattern_cannot_leave_its_cell() -> None:
    packet = replace(PACKET, patterns=(Pattern("pat-1", "a | b\n| c", 1),))

    (row,) = [line for line in as_markdown(packet).splitlines() if "pat\\-1" in line]
    assert "a \\| b" in row


def test_the_digest_is_over_everything_and_the_json_is_exact() -> None:
    """F8: what is signed is what was shown."""
    again = replace(PACKET, window=replace(PACKET.window, gap_seconds=7_201))

    assert again.digest != PACKET.digest
    assert json.loads(json.dumps(PACKET.as_json()))["head"]["due_at"] == "2026-11-20T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0m"), (3_540, "59m"), (7_260, "2h1m"), (86_400, "1d0h"), (600_000, "6d22h")]
)
def test_lengths_of_time_are_said_in_two_units(seconds: int, words: str) -> None:
    assert span(seconds) == words
