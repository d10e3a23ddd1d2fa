"""Until when closing a review can renew grants: a lease that only reviews prolong.

The end is the next review's due date and the policy's grace, and never more than the longest life of a grant
(R-81). While another review of the deployment is overdue there is nothing to renew to.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from profiles.effects import Effect
from profiles.policy import ReviewRules
from rollout.reviews.calendar import successor
from rollout.reviews.kinds import OWED, ReviewKind
from rollout.reviews.packet.model import Granted, Packet
from rollout.reviews.terms import terms_of
from runtime.grant_chain import Renewal
from runtime.grant_rules import MAXIMUM_LIFE
from runtime.tables.reviews import ObligationRow

_OBLIGATION = ObligationRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def renews_until(
    conn: Connection, obligation: ObligationRow, *, rules: ReviewRules, now: datetime
) -> datetime | None:
    """Return until when closing this review now would renew grants; None: another one is overdue."""
    query = select(_OBLIGATION.c.due_at).where(
        _OBLIGATION.c.deployment == obligation.deployment,
        _OBLIGATION.c.state.in_(OWED),
        _OBLIGATION.c.id != obligation.id,
    )
    dues = list(conn.execute(query).scalars())
    if not obligation.followed:
        terms = terms_of(conn, obligation.deployment, rules=rules)
        after = successor(terms, ReviewKind(obligation.kind), start=obligation.period_start)
        dues += [] if after is None else [after.due_at]
    return end_of(dues, rules=rules, now=now)


def end_of(dues: Iterable[datetime], *, rules: ReviewRules, now: datetime) -> datetime | None:
    """Return the end of what is renewed, from when the other reviews are due; None: one of them was due."""
    following = min(dues, default=None)
    if following is None or following <= now:
        return None
    return min(following + timedelta(hours=rules.grace_hours), now + MAXIMUM_LIFE)


def renewable(packet: Packet) -> tuple[Renewal, ...]:
    """Return what closing the packet's review can renew: what has not ended, and `read` in any case."""
    until = packet.renews_until
    return tuple(
        Renewal(one.grant, one.valid_until, until)
        for one in packet.grants
        if until is not None
        and one.grant is not None
        and one.valid_until is not None
        and one.valid_until < until
        and _lives(one, packet.head.made_at)
    )


def _lives(one: Granted, now: datetime) -> bool:
    return one.effect is Effect.READ or (one.valid_until is not None and now < one.valid_until)
