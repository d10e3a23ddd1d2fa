"""When power falls by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from profiles.effects import Effect, Tier
from rollout.demotions.rules import (
    Judged,
    agreement_lost,
    below,
    day_is_over,
    evidence_lost,
    one_lower,
    went_unwatched,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_class_leaves_the_tier_below_it_and_nothing_falls_under_0() -> None:
    assert [below(effect) for effect in Effect] == [0, 0, 1, 2, 3]
    assert one_lower(Tier.OBSERVE) is Tier.OBSERVE


@pytest.mark.parametrize(
    ("agree", "total", "lost"),
    [
        (0, 0, False),  # nothing judged shows nothing
        (0, 1, False),  # one miss is no proof: the bound is 0.95
        (0, 2, True),
        (85, 100, False),
        (80, 100, True),
        (100, 100, False),
    ],
)
def test_agreement_is_lost_only_when_its_upper_bound_is_below_the_limit(
    agree: int, total: int, *, lost: bool
) -> None:
    """REQUIREMENTS section 2, demotion: agreement upper bound < p0."""
    assert agreement_lost(Judged(agree, total), 0.9) is lost


def test_evidence_is_lost_when_what_is_left_shows_nothing() -> None:
    """F17: 33 agreeing samples show 0.90; 32 do not."""
    assert not evidence_lost(Judged(33, 33), 0.9)
    assert evidence_lost(Judged(32, 32), 0.9)
    assert evidence_lost(Judged(0, 0), 0.9)


@pytest.mark.parametrize(
    ("said", "now", "zone", "over"),
    [
        (NOON, NOON + timedelta(hours=11, minutes=59), "UTC", False),
        (NOON, NOON + timedelta(hours=12), "UTC", True),
        (NOON, NOON + timedelta(hours=11), "Europe/Berlin", True),  # midnight there is 23:00 UTC
        (NOON, NOON + timedelta(hours=16), "America/New_York", False),
        # The night in which clocks go back has 25 hours; in Berlin it is still the same day at 22:30 UTC.
        (
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            datetime(2026, 10, 25, 22, 30, tzinfo=UTC),
            "Europe/Berlin",
            False,
        ),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 3, 1, 0, tzinfo=UTC), "UTC", True),
    ],
)
def test_a_day_ends_at_midnight_of_the_organisation(
    said: datetime, now: datetime, zone: str, *, over: bool
) -> None:
    """R-37, F24: only "the same day" uses the organisation's zone."""
    assert day_is_over(said, now, zone) is over


def test_two_hours_without_a_beat_are_too_long() -> None:
    assert not went_unwatched(NOON, NOON + timedelta(hours=2), hours=2)
    assert went_unwatched(NOON, NOON + timedelta(hours=2, seconds=1), hours=2)
