"""Ending requests that nobody will apply: by the clock, and by whoever takes power away."""

from datetime import datetime

from rollout.promotions import rows, steps
from rollout.promotions.frozen import Frozen
from rollout.promotions.overtaken import overtaken
from rollout.promotions.states import PromotionState
from runtime.people.roster import Roster
from runtime.record.batch import Tx

_BY = "rollout"


def void_open(tx: Tx, deployment: str, *, reason: str, actor: str) -> tuple[str, ...]:
    """End the open requests of a deployment in the unit that takes its power away (F20); return their ids.

    Args:
        tx: the unit.
        deployment: whose requests.
        reason: why, for people; no agent's words.
        actor: the person, or the part of Handrail.
    """
    found = [frozen for frozen, _ in rows.to_end(tx.conn, deployment)]
    return tuple(
        frozen.promotion
        for frozen in found
        if steps.end(tx, frozen, PromotionState.STALE, reason=reason, actor=actor)
    )


def sweep(tx: Tx, *, roster: Roster) -> tuple[str, ...]:
    """End the requests whose time is over, and those that something overtook; return their ids.

    The clock calls it at each tick; late, twice or not at all, `apply` decides the same.
    """
    ended = []
    for frozen, made_at in rows.to_end(tx.conn):
        over = _over(tx, frozen, made_at, roster)
        if over is not None and steps.end(tx, frozen, over[0], reason=over[1], actor=_BY):
            ended.append(frozen.promotion)
    return tuple(ended)


def _over(tx: Tx, frozen: Frozen, made_at: datetime, roster: Roster) -> tuple[PromotionState, str] | None:
    """Return how and why a request is over; None if it is not."""
    if made_at >= tx.now:
        return None  # made in this transaction: the record does not know it yet
    if not rows.is_recorded(tx.conn, frozen):
        return PromotionState.STALE, "its row was made or changed by hand"
    if tx.now >= frozen.expires_at:
        return PromotionState.EXPIRED, "its time is over"
    reason = overtaken(tx.conn, frozen, roster)
    return None if reason is None else (PromotionState.STALE, reason)
