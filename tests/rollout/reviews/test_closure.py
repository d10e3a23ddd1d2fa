"""What closing a review takes: words about everything that is listed, and what is signed. Pure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.effects import Effect
from profiles.policy import ReviewRules
from rollout.reviews.closure import Closure, Word, closure_of, lacking, matter_to_close
from rollout.reviews.packet.model import Granted, PacketError, read_packet
from rollout.reviews.renewal import end_of, renewable
from runtime.alerts.rules import Disposition
from runtime.people.statement import draft
from tests.standins.packets import BEGAN, DUE, PACKET

WHOLE = Closure(
    words=(Word("pat-1f2e3d4c", Disposition.FIXED, "the limit was too low"),),
    answers=("no", "no: replies became shorter, as asked"),
    renews=("grant-a", "grant-b"),
)


def test_nothing_is_lacking_where_everything_was_said() -> None:
    assert lacking(PACKET, WHOLE) == ()


@pytest.mark.parametrize(
    ("closure", "lacks"),
    [
        (replace(WHOLE, words=()), "a disposition of pat-1f2e3d4c"),
        (replace(WHOLE, words=(*WHOLE.words, *WHOLE.words)), "pat-1f2e3d4c has more than one disposition"),
        (
            replace(WHOLE, words=(*WHOLE.words, Word("pat-0", Disposition.FIXED, "x"))),
            "pat-0 is no pattern of this packet",
        ),
        (
            replace(WHOLE, words=(Word("pat-1f2e3d4c", Disposition.FIXED, "  "),)),
            "a text about pat-1f2e3d4c",
        ),
        (replace(WHOLE, answers=("no",)), "answers to 2 questions, got 1"),
        (
            replace(WHOLE, answers=("no", "\t")),
            "an answer to: Is a metric optimised that nobody specified?",
        ),
        (replace(WHOLE, renews=("grant-z",)), "grant-z cannot be renewed by this review"),
    ],
)
def test_whatever_is_missing_or_too_much_is_said(closure: Closure, lacks: str) -> None:
    """R-36, R-39."""
    assert lacks in lacking(PACKET, closure)


def test_what_is_signed_is_read_back_as_it_was_said() -> None:
    matter = matter_to_close(PACKET, WHOLE)
    statement = draft(matter, installation="log.example", person="rosa", now=DUE, nonce=bytes(16))

    assert closure_of(statement) == WHOLE
    assert (matter.subject, matter.digest) == (PACKET.head.obligation, PACKET.digest)


@pytest.mark.parametrize(
    "body", [{}, {"dispositions": [], "answers": [3]}, {"dispositions": [{"pattern": "p"}], "answers": []}]
)
def test_another_shape_says_nothing(body: dict[str, object]) -> None:
    matter = replace(matter_to_close(PACKET, WHOLE), body=body)
    statement = draft(matter, installation="log.example", person="rosa", now=DUE, nonce=bytes(16))

    assert closure_of(statement) is None


def test_what_has_ended_is_not_renewed_but_reading_is() -> None:
    """R-81: what ended takes the whole way again; without reading nobody could look."""
    ended = PACKET.head.made_at - timedelta(days=1)
    grants = (Granted(Effect.READ, ended, "grant-a"), Granted(Effect.DRAFT, ended, "grant-b"))

    assert [one.grant for one in renewable(replace(PACKET, grants=grants))] == ["grant-a"]


def test_a_grant_that_lasts_longer_than_the_review_would_give_is_left_alone() -> None:
    assert renewable(replace(PACKET, renews_until=DUE + timedelta(days=1))) == ()
    assert renewable(replace(PACKET, renews_until=None)) == ()


def test_a_lease_lasts_until_the_next_review_and_its_grace_and_never_more_than_35_days() -> None:
    rules = ReviewRules()

    assert end_of([DUE, DUE + timedelta(days=9)], rules=rules, now=BEGAN) == DUE + timedelta(hours=48)
    assert end_of([BEGAN + timedelta(days=80)], rules=rules, now=BEGAN) == BEGAN + timedelta(days=35)
    assert end_of([DUE, BEGAN], rules=rules, now=BEGAN) is None
    assert end_of([], rules=rules, now=BEGAN) is None


def test_a_packet_is_read_back_exactly_or_not_at_all() -> None:
    value = PACKET.as_json()

    assert read_packet(value) == PACKET
    for wrong in (
        {**value, "more": 1},
        {**value, "tier": 1},
        {k: v for k, v in value.items() if k != "days"},
    ):
        with pytest.raises(PacketError):
            read_packet(wrong)
