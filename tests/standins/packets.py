"""A packet with something in each of its parts."""

from datetime import UTC, datetime, timedelta

from profiles.effects import Effect
from rollout.gates.model import GateId
from rollout.reviews.kinds import ReviewKind
from rollout.reviews.packet.model import (
    AlertLine,
    Audit,
    ClassEvidence,
    Day,
    Granted,
    Head,
    Packet,
    Pattern,
    Specification,
    Window,
)

DUE = datetime(2026, 11, 20, 9, tzinfo=UTC)
BEGAN = DUE - timedelta(days=7)
PACKET = Packet(
    head=Head(
        obligation="rev-2qzv7j5m4kx3ahd6",
        kind=ReviewKind.PERIODIC,
        agent="invoice-bot",
        deployment="9f3a" * 16,
        owner="ann",
        risk="Critical (R-48)",
        cadence="every 7 days",
        period_start=BEGAN,
        due_at=DUE,
        late=False,
        made_at=DUE - timedelta(hours=1),
    ),
    window=Window(BEGAN, DUE, 596_400, 7_200),
    tier="1 (draft)",
    grants=(
        Granted(Effect.READ, DUE + timedelta(days=2), "grant-a"),
        Granted(Effect.DRAFT, DUE + timedelta(days=2), "grant-b"),
        Granted(Effect.SEND, None, None),
    ),
    suspensions=(),
    days=tuple(Day(f"2026-11-{day}", 58, 1, 0, 9) for day in range(13, 21)),
    evidence=(
        ClassEvidence(
            Effect.SEND,
            61,
            61,
            3,
            55,
            3,
            0,
            "0.1600",
            "0.98",
            "0.8723",
            "5.0 %",
            (GateId.G2, GateId.G3, GateId.G5),
        ),
    ),
    alerts=(
        AlertLine(
            "alert-x",
            "unexpected-tool",
            "medium",
            "open",
            3,
            DUE - timedelta(hours=20),
            DUE + timedelta(hours=4),
            3,
            "inc-8",
            acknowledged=False,
        ),
    ),
    patterns=(Pattern("pat-1f2e3d4c", "label_message was denied: budget", 9),),
    specification=Specification("action-executor", 7, BEGAN, DUE + timedelta(days=14)),
    audit=Audit(18_231, 18_176, DUE, ()),
    renews_until=DUE + timedelta(days=9),
)
