"""G5 to G8: alerts and incidents, reviews, drift, and whether the profile is current."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rollout.evidence.model import Evidence
from rollout.gates.dwell import day
from rollout.gates.model import GateId, GateResult
from rollout.gates.outcomes import Missing, answer, failed, unknown, waiting

COMPARABLE: Final = 100
"""Actions below which behaviour cannot be compared with the baseline (REQUIREMENTS section 3)."""
_NAMED: Final = 4


def g5_alerts(evidence: Evidence) -> GateResult:
    """Is nothing open that people must look at? Only they can close it (F10, F11)."""
    alerts = evidence.alerts
    found = [
        _listed(alerts.open_medium, "open alert of medium severity or more"),
        _listed(alerts.overdue, "alert that nobody reviewed in time"),
        _listed(alerts.unacknowledged, "incident without a leader's acknowledgement"),
    ]
    there = (
        f"{len(alerts.open_medium)} open, {len(alerts.overdue)} overdue, "
        f"{len(alerts.unacknowledged)} incidents unacknowledged"
    )
    return answer(GateId.G5, there, found)


def g6_reviews(evidence: Evidence, *, now: datetime) -> GateResult:
    """Is no review overdue, and is the next one owed? An agent that owes none is itself an alarm (R-85)."""
    reviews = evidence.reviews
    late = reviews.next_due is not None and reviews.next_due <= now
    found = [
        _listed(reviews.overdue, "overdue review"),
        unknown("no review is owed: the clock has not run") if reviews.next_due is None else None,
        failed("the next review is due already") if late and not reviews.overdue else None,
    ]
    due = "nobody knows when" if reviews.next_due is None else day(reviews.next_due)
    return answer(GateId.G6, f"{len(reviews.overdue)} overdue, next due {due}", found)


def g7_drift(evidence: Evidence) -> GateResult:
    """Does it behave as before? Where that cannot be measured, only a manager's signed text passes it."""
    drift = evidence.drift
    there = f"{drift.actions} actions in the window"
    if drift.accepted_by is not None:
        return answer(GateId.G7, f"{there}; accepted by {drift.accepted_by}", [])
    why = f"fewer than {COMPARABLE}" if drift.actions < COMPARABLE else "no baseline to compare with"
    accept = f"handrail gates accept {evidence.agent} G7 --reason TEXT"
    return answer(
        GateId.G7, there, [unknown(f"not measured ({why}); a rollout manager may accept it: {accept}")]
    )


def g8_profile(evidence: Evidence, *, now: datetime) -> GateResult:
    """Is the profile current, reviewed this quarter, and the one that the sample was taken under (F13)?"""
    due = evidence.reviews.specification_due
    found = [
        None if evidence.newest else failed("a newer deployment has taken its place"),
        unknown("no review of the profile was ever planned") if due is None else None,
        failed(f"the review of the profile was due on {day(due)} (R-42)")
        if due is not None and due <= now
        else None,
        _changed(evidence),
    ]
    planned = "never planned" if due is None else f"due {day(due)}"
    since = day(evidence.profile_since)
    return answer(GateId.G8, f"profile {evidence.profile[:12]} since {since}, its review {planned}", found)


def _changed(evidence: Evidence) -> Missing | None:
    if evidence.profile_since <= evidence.counted_since:
        return None
    return waiting("the profile has changed since the first counted sample")


def _listed(ids: Sequence[str], what: str) -> Missing | None:
    if not ids:
        return None
    named = ", ".join(ids[:_NAMED]) + (f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else "")
    return failed(f"{what}: {named}")
