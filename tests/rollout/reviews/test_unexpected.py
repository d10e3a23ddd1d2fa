"""Which entries of the record nobody expects, and how they are added up."""

from datetime import UTC, datetime

import pytest

from rollout.reviews.packet.unexpected import as_patterns, kinds, unexpected
from runtime.canonical import JsonValue
from runtime.record.events import EventKind
from runtime.record.leaf import Leaf

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def entry(kind: EventKind, **data: JsonValue) -> Leaf:
    return Leaf(1, NOW, kind, "agent", "bot", "d1", "run-1", "act-1", data, None)


@pytest.mark.parametrize(
    ("leaf", "told"),
    [
        (
            entry(EventKind.ACTION_DECISION, answer="deny", name="send_mail", reasons=["budget", "never"]),
            ("send_mail was denied: budget", "send_mail was denied: never"),
        ),
        (
            entry(EventKind.ACTION_DECISION, answer="deny", name=None, reasons=["unknown_tool"]),
            ("a tool outside the profile was denied: unknown_tool",),
        ),
        (entry(EventKind.ACTION_DECISION, answer="suggest", name="send_mail", reasons=["above_tier"]), ()),
        (
            entry(EventKind.ACTION_DECISION, answer="hold", name="get", reasons=["first_seen", "above_tier"]),
            ("get was held: first_seen",),
        ),
        (entry(EventKind.ACTION_OUTCOME, status="done"), ()),
        (entry(EventKind.ACTION_OUTCOME, status="unknown"), ("label: nobody knows whether it happened",)),
        (entry(EventKind.ACTION_OUTCOME, status="failed"), ("label: it failed, and did not happen",)),
        (entry(EventKind.RUN_ENDED, outcome="exited", exit_code=0), ()),
        (entry(EventKind.RUN_ENDED, outcome="stopped", exit_code=None), ()),
        (
            entry(EventKind.RUN_ENDED, outcome="out_of_memory", exit_code=137),
            ("a run ended: out of memory with exit code 137",),
        ),
        (
            entry(EventKind.RUN_ENDED, outcome="exited", exit_code=2),
            ("a run ended: exited with exit code 2",),
        ),
        (entry(EventKind.SUGGESTION_JUDGED, verdict="agree"), ()),
        (entry(EventKind.SUGGESTION_JUDGED, verdict="harmful"), ("something was judged harmful",)),
        (entry(EventKind.WRITES_SUSPENDED, code="heartbeat"), ("writes were suspended: heartbeat",)),
        (entry(EventKind.DEPLOYMENT_DEMOTED, cause="pattern"), ("power was taken away: pattern",)),
        (entry(EventKind.CLOCK_ANOMALY), ("the clock went backwards",)),
        (entry(EventKind.SERVE_STARTED), ()),
    ],
)
def test_only_what_nobody_expects_is_told(leaf: Leaf, told: tuple[str, ...]) -> None:
    """R-36."""
    assert unexpected(leaf.kind, leaf.data, "label") == told
    assert not told or leaf.kind in kinds()


def test_the_same_pattern_of_the_same_review_keeps_its_id_and_is_counted() -> None:
    first = as_patterns("rev-1", [("a", 1), ("b", 3), ("a", 1)])
    later = as_patterns("rev-1", [("a", 9)])
    other = as_patterns("rev-2", [("a", 9)])

    assert [(one.text, one.count) for one in first] == [("b", 3), ("a", 2)]
    assert later[0].id == first[1].id
    assert other[0].id != first[1].id
