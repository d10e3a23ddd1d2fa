"""From rows and the record to a packet: one reading of one consistent view, and nothing is written.

A review looks at its own period. What happened after a packet was printed early belongs to the next review,
whose window begins where the earlier one was cut off: no moment is in none.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from profiles.effects import Effect
from profiles.schema import Profile
from rollout.evidence.model import AuditState
from rollout.gates.evaluate import evaluate
from rollout.promotions.assessor import Assessor
from rollout.reviews import rows
from rollout.reviews.kinds import ObligationState, ReviewKind
from rollout.reviews.obligations import review_state
from rollout.reviews.packet.activity import days_of, first_seen, window_of
from rollout.reviews.packet.alerts import alert_lines
from rollout.reviews.packet.evidence import class_evidence
from rollout.reviews.packet.model import (
    METRIC,
    PRIORITIES,
    Audit,
    ClassEvidence,
    Head,
    Packet,
    Specification,
)
from rollout.reviews.packet.patterns import Whose, patterns_of
from rollout.reviews.packet.power import grants_of, stopped, tier_of
from rollout.reviews.renewal import renews_until
from rollout.reviews.terms import terms_of
from runtime import agents, deployments
from runtime.people.roster import Roster
from runtime.tables.log import LogCheckpointRow, LogHeadRow
from runtime.tables.reviews import ObligationRow

_HEAD = LogHeadRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_CHECKPOINT = LogCheckpointRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table

QUESTIONS: Final = {
    ReviewKind.PERIODIC: (),
    ReviewKind.SPECIFICATION: ("Do purpose, tools, limits and never-list still fit the work?",),
    ReviewKind.EVALUATION: ("How was the agent evaluated under real conditions, and with what result?",),
    ReviewKind.CHANGE: ("Who approved what this deployment changes?",),
}
"""What a kind of review asks beside the two questions of every review."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a packet is collected with.

    Attributes:
        roster: who counts now, and the policy in force.
        audit: what verifying the record found last; None: nobody verified it.
        assessor: collects the evidence of a class.
        now: the present moment.
    """

    roster: Roster
    audit: AuditState | None
    assessor: Assessor
    now: datetime


def collect(conn: Connection, obligation: str, sight: Sight) -> Packet:
    """Return the packet of a review as it is now.

    Args:
        conn: one consistent view of the database.
        obligation: the review's id.
        sight: what is needed beside the rows.

    Raises:
        ReviewError: there is no such review, or its period has not begun.
    """
    owed = rows.obligation_of(conn, obligation)
    if owed.period_start > sight.now:
        raise rows.ReviewError(f"review {obligation}: its period has not begun, so there is nothing to see")
    profile = deployments.find(conn, owed.deployment).profile
    policy, whose = sight.roster.policy, Whose(owed.id, owed.agent, owed.deployment)
    window = window_of(conn, _begin(conn, owed), min(sight.now, owed.due_at))
    used = profile.effects
    longest = policy.alerts.heartbeat_hours * 3600
    return Packet(
        head=_head(conn, owed, profile, sight),
        window=window,
        tier=tier_of(conn, owed.deployment, used, roster=sight.roster, now=sight.now),
        grants=grants_of(conn, owed.deployment, used, roster=sight.roster, now=sight.now),
        suspensions=stopped(conn, owed.agent, owed.deployment, roster=sight.roster, now=sight.now),
        days=days_of(conn, owed.deployment, window),
        evidence=_evidence(conn, owed.deployment, used, sight),
        alerts=alert_lines(conn, owed.agent, owed.deployment, window, roster=sight.roster, now=sight.now),
        patterns=patterns_of(conn, whose, window, longest_gap_seconds=longest),
        specification=_specification(conn, owed, profile, sight),
        audit=_audit(conn, sight.audit),
        first_seen=first_seen(conn, owed.deployment, window),
        renews_until=renews_until(conn, owed, rules=policy.reviews, now=sight.now),
        questions=(PRIORITIES, METRIC, *QUESTIONS[ReviewKind(owed.kind)]),
    )


def _begin(conn: Connection, owed: ObligationRow) -> datetime:
    """Return where the window begins: with the period, or where an early packet of the one before ended."""
    earlier = rows.before(conn, owed)
    if earlier is None or earlier.state != ObligationState.CLOSED:
        return owed.period_start
    printed = rows.packet_row(conn, earlier.id)
    return owed.period_start if printed is None else min(owed.period_start, printed.made_at)


def _head(conn: Connection, owed: ObligationRow, profile: Profile, sight: Sight) -> Head:
    agent = agents.find(conn, owed.agent)
    assessed = agent.assessment(profile)
    return Head(
        obligation=owed.id,
        kind=ReviewKind(owed.kind),
        agent=agent.name,
        deployment=owed.deployment,
        owner=agent.owner,
        risk=f"{assessed.risk.label} ({', '.join(assessed.rows)})",
        cadence=assessed.cadence.words,
        period_start=owed.period_start,
        due_at=owed.due_at,
        late=owed.late,
        made_at=sight.now,
    )


def _evidence(
    conn: Connection, deployment: str, used: Collection[Effect], sight: Sight
) -> tuple[ClassEvidence, ...]:
    found = (
        sight.assessor.collect(conn, deployment, effect, now=sight.now)
        for effect in Effect
        if effect in used and effect is not Effect.READ
    )
    return tuple(class_evidence(one, evaluate(one, approvals=None, now=sight.now)) for one in found)


def _specification(conn: Connection, owed: ObligationRow, profile: Profile, sight: Sight) -> Specification:
    since = terms_of(conn, owed.deployment, rules=sight.roster.policy.reviews).profile_since
    due_at = review_state(conn, owed.deployment, roster=sight.roster, now=sight.now).specification_due
    return Specification(profile.profile, profile.version, since, due_at)


def _audit(conn: Connection, known: AuditState | None) -> Audit:
    if known is not None:
        return Audit(known.size, known.anchored, known.verified_at, known.faults)
    size = conn.execute(select(_HEAD.c.size)).scalar_one()
    return Audit(size, conn.execute(select(func.max(_CHECKPOINT.c.size))).scalar() or 0, None, None)
