"""Ending requests that nobody will apply: by the clock, and by whoever takes power away."""

from rollout.promotions import rows, steps
from rollout.promotions.frozen import Frozen, PromotionError
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
    found = (_believed(tx, id_) for id_ in rows.open_ids(tx.conn, deployment))
    return tuple(
        frozen.promotion
        for frozen in found
        if frozen is not None and steps.end(tx, frozen, PromotionState.STALE, reason=reason, actor=actor)
    )


def sweep(tx: Tx, *, roster: Roster) -> tuple[str, ...]:
    """End the requests whose time is over, and those that something overtook; return their ids.

    The clock calls it at each tick; late, twice or not at all, `apply` decides the same.
    """
    return tuple(id_ for id_ in rows.open_ids(tx.conn) if _sweep(tx, id_, roster))


def _sweep(tx: Tx, promotion: str, roster: Roster) -> bool:
    frozen = _believed(tx, promotion)
    if frozen is None:
        return False
    if tx.now >= frozen.expires_at:
        return steps.end(tx, frozen, PromotionState.EXPIRED, reason="its time is over", actor=_BY)
    reason = overtaken(tx.conn, frozen, roster)
    return reason is not None and steps.end(tx, frozen, PromotionState.STALE, reason=reason, actor=_BY)


def _believed(tx: Tx, promotion: str) -> Frozen | None:
    """Return a request; None if its row was made by hand: it grants nothing and stops nothing."""
    try:
        return rows.find(tx.conn, promotion).frozen
    except PromotionError:
        return None
