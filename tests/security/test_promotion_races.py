"""Threat: something happens between looking and granting; power that is taken away must win (F10, F20)."""

import pytest
from sqlalchemy import text

from profiles.effects import Effect, Tier
from rollout.gates.model import GateId
from rollout.promotions.applying import Applied, Standing
from rollout.promotions.asking import ask
from rollout.promotions.demoting import Demoted, demote
from rollout.promotions.ending import sweep
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import matter_to_ask, matter_to_demote
from rollout.promotions.states import PromotionState
from runtime.clock import new_id
from runtime.demotion import DemotionCause, drop
from runtime.freeze_rules import Scope
from runtime.record.batch import Tx
from runtime.suspension_rules import EVERYTHING, SuspensionCode
from runtime.suspensions import suspend
from tests.standins.promoting import AGENT, Stage, failing, over, stage
from tests.standins.towns import (
    DORA,
    LENA,
    OLGA,
    ROSA,
    SVEN,
    lift,
    set_freeze,
    staffed,
    stop_of,
    town,
)

__all__ = ["staffed", "stage", "town"]

READ, DRAFT, UPDATE, _, _ = Effect
RAISE_ALERT = (
    "INSERT INTO alert (id, fingerprint, agent, deployment, rule, severity, tool, resource, state, count,"
    " first_at, last_at, due_at) VALUES ('alert-1', 'f', 'bot', :deployment, 'unexpected-tool', 'medium',"
    " 't', 'r', 'open', 1, '2026-11-21T09:00:00.000000Z', '2026-11-21T09:00:00.000000Z',"
    " '2026-11-22T09:00:00.000000Z')"
)


# --- F10: something happens between looking and applying


def test_an_alert_that_opens_between_evaluation_and_apply_stops_it(stage: Stage) -> None:
    """F10: refused in the same transaction."""
    frozen = stage.approved()
    looked = stage.examine(frozen)
    assert isinstance(looked, Standing)
    assert looked.ready

    def unit(tx: Tx) -> object:
        tx.conn.execute(text(RAISE_ALERT), {"deployment": stage.deployment})
        return stage.apply_in(tx, frozen)

    assert failing(stage.town.write(unit)) == {GateId.G5}  # type: ignore[arg-type]  # what apply answers
    assert stage.allowed == {READ}
    assert stage.state(frozen) == PromotionState.AWAITING, "it waits until the alert is closed"


# --- F20: demotion wins


def test_a_demotion_voids_an_open_request(stage: Stage) -> None:
    """F20: also where there was nothing to take away."""
    frozen = stage.approved()

    demoted = stage.demote(SVEN)

    assert isinstance(demoted, Demoted)
    assert (demoted.revoked, demoted.voided) == ((), (frozen.promotion,))
    assert over(stage.apply(frozen)) == PromotionState.STALE
    assert stage.allowed == {READ}


def test_demotion_and_promotion_in_one_transaction_end_in_demotion(stage: Stage) -> None:
    """F20: whichever comes first."""
    first = stage.approved()

    def promote_then_drop(tx: Tx) -> object:
        answer = stage.apply_in(tx, first)
        drop(tx, stage.deployment, Tier.OBSERVE, DemotionCause.NEVER, actor="gate", now=tx.now)
        return answer

    assert isinstance(stage.town.write(promote_then_drop), Applied)
    assert stage.allowed == {READ}


def test_power_taken_in_the_same_transaction_is_seen_by_apply(stage: Stage) -> None:
    """F20: rows tell what the record does not hold yet."""
    stage.apply(stage.approved())
    stage.town.later(hours=1)
    update = stage.asked(effect=UPDATE)
    stage.approve(update, ROSA)
    stage.approve(update, DORA)

    def drop_then_promote(tx: Tx) -> object:
        drop(tx, stage.deployment, Tier.OBSERVE, DemotionCause.OUT_OF_SCOPE, actor="gate", now=tx.now)
        return stage.apply_in(tx, update)

    assert over(stage.town.write(drop_then_promote)) == PromotionState.STALE
    assert stage.allowed == {READ}


def test_a_request_of_the_same_transaction_falls_with_the_demotion(stage: Stage) -> None:
    """F20: many units share a transaction, in which the record does not know the newest ones yet."""
    matter = matter_to_ask(
        new_id("prom"), agent=AGENT, deployment=stage.deployment, effect=DRAFT, reason="well"
    )
    asking = stage.town.signed(OLGA, matter)
    demoting = stage.town.signed(
        SVEN, matter_to_demote(AGENT, stage.deployment, Tier.OBSERVE, reason="odd mails")
    )

    def unit(tx: Tx) -> object:
        roster = stage.roster(tx)
        assert isinstance(ask(tx, asking, assessor=stage.eyes, roster=roster, new_id=new_id), Frozen)
        assert sweep(tx, roster=roster) == (), "the clock does not take it for a row made by hand"
        return demote(tx, demoting, roster=roster)

    demoted = stage.town.write(unit)

    assert isinstance(demoted, Demoted)
    assert demoted.voided == (matter.subject,)


@pytest.mark.parametrize("deployment", ["its own", EVERYTHING])
def test_a_suspension_voids_an_open_request_even_if_its_row_is_deleted(stage: Stage, deployment: str) -> None:
    """F20: the record tells of rows that were removed."""
    frozen = stage.approved()
    of = stage.deployment if deployment == "its own" else deployment
    stage.town.write(
        lambda tx: suspend(
            tx,
            of,
            effect=None,
            code=SuspensionCode.HEARTBEAT,
            subject="monitor",
            reason="silent",
            now=tx.now,
        )
    )
    stage.town.tamper("DELETE FROM suspension")

    assert over(stage.apply(frozen)) == PromotionState.STALE


@pytest.mark.parametrize(
    ("scope", "target", "voids"),
    [
        (Scope.ALL, "all", True),
        (Scope.AGENT, AGENT, True),
        (Scope.AGENT, "other", False),
        (Scope.DEPLOYMENT, "d2" * 32, False),
    ],
)
def test_a_freeze_voids_an_open_request_also_when_it_is_lifted(
    stage: Stage, scope: Scope, target: str, *, voids: bool
) -> None:
    """F20, G13."""
    frozen = stage.approved()
    stop = stop_of(scope, target, stage.town)
    set_freeze(stage.town, stop, LENA)
    lift(stage.town, stop.id, OLGA)

    assert (over(stage.apply(frozen)) == PromotionState.STALE) is voids


def test_a_freeze_that_stood_before_blocks_and_voids_nothing(stage: Stage) -> None:
    """G13."""
    stop = stop_of(Scope.AGENT, AGENT, stage.town)
    set_freeze(stage.town, stop, LENA)
    stage.town.later(minutes=1)
    frozen = stage.approved()
    assert failing(stage.apply(frozen)) == {GateId.G13}
    lift(stage.town, stop.id, OLGA)

    assert isinstance(stage.apply(frozen), Applied)
