"""Tenure: dwell begins with the tier, the window of the evidence with the last fall."""

from datetime import timedelta

from profiles.effects import Effect, Tier
from rollout.evidence.tenure import Tenure, fell_at, tenure
from runtime.demotion import DemotionCause, drop
from runtime.grants import Issued
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Town
from tests.standins.towns import ROSA, grant, order, staffed, town

__all__ = ["staffed", "town"]


def looked(town: Town, deployment: str, began: object) -> Tenure:
    return town.read(lambda conn: tenure(conn, deployment, began_at=began, now=town.now))  # type: ignore[arg-type]


def test_an_expansion_restarts_dwell_and_keeps_the_evidence(staffed: Town) -> None:
    """R-34: what was judged at tier 0 counts for the class after next; else a held class had no evidence."""
    began, deployment = staffed.now, deployed(staffed)
    expanded = staffed.later(days=15)
    asked = order(staffed, Effect.DRAFT, deployment=deployment, owner=OWNER, days=30)
    assert isinstance(grant(staffed, asked, ROSA), Issued)
    staffed.later(days=1)

    assert looked(staffed, deployment, began) == Tenure(expanded, began, expanded)


def test_a_fall_and_an_end_restart_both(staffed: Town) -> None:
    """F13, F21: re-entry restarts dwell and evidence."""
    began, deployment = staffed.now, deployed(staffed)
    asked = order(staffed, Effect.DRAFT, deployment=deployment, owner=OWNER, days=5)
    assert isinstance(grant(staffed, asked, ROSA), Issued)
    ended = staffed.now + timedelta(days=5)
    staffed.later(days=6)
    assert looked(staffed, deployment, began).reset_at == ended

    again = order(staffed, Effect.DRAFT, deployment=deployment, owner=OWNER, days=5)
    assert isinstance(grant(staffed, again, ROSA), Issued)
    fallen = staffed.later(days=1)
    staffed.write(
        lambda tx: drop(tx, deployment, Tier.OBSERVE, DemotionCause.PATTERN, actor="rollout", now=tx.now)
    )
    found = looked(staffed, deployment, began)
    assert (found.since, found.reset_at) == (fallen, fallen)
    assert staffed.read(lambda conn: fell_at(conn, "bot")) == fallen
