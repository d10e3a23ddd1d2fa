"""The calendar of reviews: which periods are owed, whoever kept the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from profiles.policy import ReviewRules
from profiles.risk import Cadence, Trait, assess
from rollout.reviews.calendar import Terms, following, owed, successor
from rollout.reviews.kinds import ReviewKind

BEGAN = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
RULES = ReviewRules()


def terms(cadence: Cadence, *, profile_since: datetime = BEGAN) -> Terms:
    return Terms(BEGAN, BEGAN, profile_since, cadence, RULES)


def due_days(kind: ReviewKind, cadence: Cadence, until: int) -> list[int]:
    """The days on which a kind is due, of all periods that have begun by a day."""
    found = owed(terms(cadence), until=BEGAN + until * DAY)
    return [(period.due_at - BEGAN) // DAY for period in found if period.kind is kind]


@pytest.mark.parametrize(
    ("trait", "expected"),
    [
        (Trait.INTERNAL_DOCS, [7, 14, 21, 28, 35, 65, 95, 125]),
        (Trait.EXECUTES_APPROVED_ACTIONS, [7, 14, 21, 28, 35, 49, 63, 77, 91, 105, 119, 133]),
        (Trait.CUSTOMER_DATA, list(range(7, 127, 7))),
        (Trait.EXTERNAL_PARTIES, list(range(7, 127, 7))),
    ],
)
def test_over_120_days_each_risk_row_owes_exactly_its_reviews(trait: Trait, expected: list[int]) -> None:
    """R-35, R-46, R-47, R-48, R-50: the last one is the period that still runs."""
    assert due_days(ReviewKind.PERIODIC, assess([trait]).cadence, 120) == expected


def test_each_deployment_of_an_agent_that_changes_code_is_reviewed_once() -> None:
    """R-49."""
    cadence = assess([Trait.MODIFIES_CODE]).cadence

    assert due_days(ReviewKind.CHANGE, cadence, 120) == [7]
    assert due_days(ReviewKind.CHANGE, Cadence(7, 30), 120) == []


def test_profile_and_agent_are_looked_at_each_quarter() -> None:
    """R-42, R-72."""
    assert due_days(ReviewKind.SPECIFICATION, Cadence(7, 30), 120) == [90, 180]
    assert due_days(ReviewKind.EVALUATION, Cadence(7, 30), 120) == [90, 180]


def test_the_quarters_of_a_profile_count_from_when_it_became_the_profile() -> None:
    """R-42: a new image does not put the review of an unchanged profile off."""
    since = BEGAN - 80 * DAY
    found = owed(terms(Cadence(7, 30), profile_since=since), until=BEGAN)

    assert [p.due_at for p in found if p.kind is ReviewKind.SPECIFICATION] == [BEGAN + 10 * DAY]


def test_a_deployment_that_is_returned_to_owes_nothing_for_the_time_between() -> None:
    returned = Terms(BEGAN, BEGAN + 30 * DAY, BEGAN, Cadence(7, 7), RULES)
    found = owed(returned, until=BEGAN + 30 * DAY)

    assert [(p.due_at - BEGAN) // DAY for p in found if p.kind is ReviewKind.PERIODIC] == [35]


def test_something_is_owed_from_the_first_moment_on() -> None:
    """R-85."""
    assert {p.kind for p in owed(terms(Cadence(7, 30)), until=BEGAN)} == {
        ReviewKind.PERIODIC,
        ReviewKind.SPECIFICATION,
        ReviewKind.EVALUATION,
    }


def test_three_weeks_without_a_clock_leave_no_period_out() -> None:
    """F3."""
    missed = following(
        terms(Cadence(7, 7)), ReviewKind.PERIODIC, start=BEGAN + 7 * DAY, until=BEGAN + 30 * DAY
    )

    assert [(p.start - BEGAN) // DAY for p in missed] == [14, 21, 28]


@pytest.mark.parametrize(
    "zone_change", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)]
)
def test_a_week_is_seven_times_24_hours_over_clock_changes_and_leap_days(zone_change: datetime) -> None:
    """F24."""
    began = zone_change - 3 * DAY
    first = owed(Terms(began, began, began, Cadence(7, 30), RULES), until=began)[0]

    assert first.due_at - first.start == 7 * DAY


def test_a_kind_that_is_owed_once_has_no_successor() -> None:
    every = terms(Cadence(7, 30, every_change=True))

    assert successor(every, ReviewKind.CHANGE, start=BEGAN) is None
    assert successor(every, ReviewKind.PERIODIC, start=BEGAN) == owed(every, until=BEGAN + 7 * DAY)[2]
