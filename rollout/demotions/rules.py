"""When power falls by itself. Pure.

| what | how far |
|---|---|
| a pattern: the same deviation three times (R-52) | one tier |
| the agreement rate is shown to be below what the grant asked for | one tier below the class |
| a reviewer counts no more, and without them the evidence shows nothing (F17) | one tier below the class |
| the rules changed and no new deployment is live by the end of the organisation's day (R-37) | tier 0 |
| actions while nobody watched, for longer than the policy permits | writes are suspended |

What one action shows (never-list, self-preservation, out of scope, a changed upstream) makes it fall in the
kernel, in that action's own unit; a harmful executed action does in the unit of the verdict.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from profiles.effects import Effect, Tier
from rollout.statistics import shown, upper_bound


@dataclass(frozen=True, slots=True)
class Judged:
    """How many things of one class were judged, and how many of them people agreed with."""

    agree: int
    total: int


def below(effect: Effect) -> Tier:
    """Return the tier that is left when a class is taken away: one under the class's own."""
    return one_lower(effect.tier)


def one_lower(tier: Tier) -> Tier:
    """Return the next lower tier; 0 stays 0."""
    return Tier(max(tier - 1, Tier.OBSERVE))


def agreement_lost(judged: Judged, p0: float) -> bool:
    """Whether the true agreement rate is shown to be below the limit.

    The upper Clopper-Pearson bound (95 %, one-sided) is under it. Nothing judged shows nothing.
    """
    return judged.total > 0 and upper_bound(judged.agree, judged.total) < p0


def evidence_lost(judged: Judged, p0: float) -> bool:
    """Whether what is left of the evidence no longer shows the agreement that the grant was given for."""
    return not shown(judged.agree, judged.total - judged.agree, p0)


def day_is_over(said_at: datetime, now: datetime, zone: str) -> bool:
    """Whether midnight has passed since then, in the organisation's own time (F24)."""
    local = ZoneInfo(zone)
    return now.astimezone(local).date() > said_at.astimezone(local).date()


def went_unwatched(last_beat: datetime, next_beat: datetime, *, hours: int) -> bool:
    """Whether nobody watched for longer than the policy permits."""
    return next_beat - last_beat > timedelta(hours=hours)
