"""A piece of evidence that passes every review gate; tests change one thing in it and see what happens."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from profiles.effects import Effect
from profiles.policy import Threshold
from profiles.risk import Risk
from rollout.evidence.model import (
    AlertState,
    Assessed,
    Assessment,
    AssessmentKind,
    AuditState,
    Drift,
    Dwell,
    Evidence,
    Parity,
    Power,
    ReviewState,
    Sample,
)
from rollout.gates.inputs import Approvals

NOW = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
YES = Approvals(persons=("rosa",), missing=(), oldest=NOW - timedelta(hours=1))


def good_evidence(**changes: Any) -> Evidence:
    """Everything for a first promotion to draft, as it should be."""
    since = NOW - 15 * DAY
    given: dict[str, Any] = {
        "agent": "bot",
        "deployment": "d1" * 32,
        "effect": Effect.DRAFT,
        "at": NOW,
        "owner": "olga",
        "risk": Risk.HIGH,
        "policy": "aa" * 32,
        "profile": "bb" * 32,
        "newest": True,
        "profile_since": since,
        "counted_since": since,
        "threshold": Threshold(agreement=0.9, observed_days=14),
        "distinct_days": 10,
        "approval_hours": 72,
        "harmful_below": 0,
        "sample": good_sample(),
        "dwell": good_dwell(since=since),
        "alerts": AlertState((), (), ()),
        "reviews": ReviewState((), NOW + 3 * DAY, NOW + 60 * DAY),
        "assessment": good_assessment(),
        "audit": AuditState(size=900, anchored=890, faults=(), verified_at=NOW - timedelta(minutes=30)),
        "drift": Drift(actions=60, accepted_by="rosa"),
        "power": Power((Effect.READ,), (Effect.READ, Effect.DRAFT, Effect.SEND), (), ()),
    }
    return Evidence(**(given | changes))


def good_sample(**changes: Any) -> Sample:
    """Forty drawn and judged clusters on twelve days, all agreed to."""
    known = Sample(60, 40, 0, 40, 0, 0, 0, 12, ("dora", "sven"), "cc" * 32)
    return replace(known, **changes)


def good_dwell(**changes: Any) -> Dwell:
    """Fourteen days and a bit, observed without a gap."""
    observed = (14 * DAY + timedelta(hours=2)).total_seconds()
    since = changes.get("since", NOW - 15 * DAY)
    known = Dwell(since, observed, observed, 15, NOW - timedelta(seconds=40), None, None, None)
    return replace(known, **changes)


def good_assessment(**changes: Any) -> Assessment:
    """Everything judged well, of the capabilities that there are."""
    passed = Assessed(passed=True, person="sven", at=NOW - 5 * DAY)
    proven = (Parity("runc", None, "context isolation proven under runc of 2026-11-01", "clerk:1"),)
    known = Assessment("ee" * 32, "ee" * 32, dict.fromkeys(AssessmentKind, passed), proven)
    return replace(known, **changes)
