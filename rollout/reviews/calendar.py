"""The calendar of reviews: which periods a deployment owes. Pure; UTC, and a day is 24 hours (F24)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from profiles.policy import ReviewRules
from profiles.risk import Cadence
from rollout.reviews.kinds import ReviewKind

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """One review that is owed: for what happened since `start`, by `due_at`."""

    kind: ReviewKind
    start: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides a deployment's reviews.

    Attributes:
        created_at: when the deployment was made.
        present_since: since when it is its agent's present one; periods that were due before are not its own.
        profile_since: since when its agent's profile is this one; its quarters count from there.
        cadence: how often the agent's risk row asks for a review.
        rules: of the policy in force.
    """

    created_at: datetime
    present_since: datetime
    profile_since: datetime
    cadence: Cadence
    rules: ReviewRules


def owed(terms: Terms, *, until: datetime) -> tuple[Period, ...]:
    """List every period that has begun by `until`, in the order in which they are due.

    The last one of each kind is still running, so something is always owed. None is left out for having been
    missed: the calendar does not ask who kept the clock (F3).
    """
    found = [period for kind in ReviewKind for period in _of_kind(kind, terms, until)]
    return tuple(sorted(found, key=lambda period: (period.due_at, period.kind)))


def following(terms: Terms, kind: ReviewKind, *, start: datetime, until: datetime) -> tuple[Period, ...]:
    """List the periods of one kind that began after `start`, up to `until`."""
    return tuple(period for period in _of_kind(kind, terms, until) if period.start > start)


def successor(terms: Terms, kind: ReviewKind, *, start: datetime) -> Period | None:
    """Return the period after the one that began at `start`; None for a kind that is owed once."""
    return next((period for period in _endless(kind, terms) if period.start > start), None)


def _of_kind(kind: ReviewKind, terms: Terms, until: datetime) -> Iterator[Period]:
    for period in _endless(kind, terms):
        if period.start > until:
            return
        if period.due_at > terms.present_since:
            yield period


def _endless(kind: ReviewKind, terms: Terms) -> Iterator[Period]:
    match kind:
        case ReviewKind.PERIODIC:
            yield from _periodic(terms)
        case ReviewKind.SPECIFICATION:
            days = terms.rules.specification_days
            yield from _every(kind, terms.profile_since, days)
        case ReviewKind.EVALUATION:
            yield from _every(kind, terms.created_at, terms.rules.evaluation_days)
        case ReviewKind.CHANGE if terms.cadence.every_change:
            yield Period(kind, terms.created_at, terms.created_at + terms.cadence.first_days * _DAY)
        case ReviewKind.CHANGE:
            return


def _periodic(terms: Terms) -> Iterator[Period]:
    last = 0
    for horizon in count(1):
        for day in terms.cadence.due_days(horizon * 366):
            if day > last:
                start = terms.created_at + last * _DAY
                yield Period(ReviewKind.PERIODIC, start, terms.created_at + day * _DAY)
                last = day


def _every(kind: ReviewKind, begin: datetime, days: int) -> Iterator[Period]:
    for number in count():
        yield Period(kind, begin + number * days * _DAY, begin + (number + 1) * days * _DAY)
