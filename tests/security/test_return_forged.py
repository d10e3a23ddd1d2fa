"""Threat: going back to an earlier deployment is used to get power that nobody else agreed to."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from profiles.effects import Effect
from rollout.transitions import Return, Returned, go_back, plan_return
from runtime import agents, deployments
from runtime.clock import new_id
from runtime.demotion import DemotionCause
from runtime.grants import Issued
from runtime.people.roster import RefusalCode, Refused
from runtime.people.statement import SignedStatement, StatementType
from tests.standins.deployed import OWNER, deployed
from tests.standins.persons import Person, Town, policy_of
from tests.standins.power import drop_in, granted_draft, restore_by, restored
from tests.standins.towns import DORA, LENA, OLGA, ROSA, SVEN, allowed, grant, order, town

__all__ = ["town"]

READ, DRAFT = Effect.READ, Effect.DRAFT
REASON = "the new image is broken"


@pytest.fixture
def staffed(town: Town) -> Town:
    """The owner of the agent is a rollout manager too, as happens in small houses."""
    policy = policy_of(
        OLGA.enrolled("operations", "policy", "rollout", identities=["unix:olga"]),
        ROSA.enrolled("rollout", "policy"),
        DORA.enrolled("domain"),
        SVEN.enrolled("security"),
        LENA.enrolled("leadership"),
    )
    town.begin(policy, OLGA, ROSA, DORA, SVEN, LENA)
    return town


def replaced(town: Town) -> tuple[str, str]:
    """A deployment of `bot` that could draft, and the one that took its place."""
    first = deployed(town)
    asked = order(town, DRAFT, deployment=first, owner=OWNER, days=30)
    assert isinstance(grant(town, asked, ROSA), Issued)
    town.later(hours=1)
    second = deployed(town, image="sha256:bb")
    town.later(hours=1)
    return first, second


def planned(town: Town, to: str) -> Return:
    return town.read(
        lambda conn: plan_return(
            conn, "bot", OWNER, to, requester="bot", roster=town.state.roster, new_id=new_id, now=town.now
        )
    )


def returned(town: Town, plan: Return, by: Person) -> Returned | Refused:
    signed = town.signed(by, plan.matter(REASON))
    words: Mapping[str, SignedStatement] = {
        one.id: town.signed(by, one.matter(StatementType.ROLLBACK, reason=REASON)) for one in plan.orders
    }
    return town.write(
        lambda tx: go_back(tx, plan, REASON, signed, words, roster=town.state.roster, now=town.now)
    )


def test_the_owner_does_not_get_grants_back_under_the_name_of_another_agent(staffed: Town) -> None:
    """F7, F9: whose deployment it is decides, not the agent that the request names."""
    first, second = replaced(staffed)
    staffed.write(
        lambda tx: agents.register(tx, "other", ["internal-docs"], owner="stranger", now=staffed.now)
    )
    other = deployed(staffed, "other")
    true = planned(staffed, first)
    assert true.orders
    orders = tuple(replace(one, owner="stranger") for one in true.orders)
    forged = replace(true, agent="other", owner="stranger", before=other, orders=orders)

    answer = returned(staffed, forged, OLGA)
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER
    assert allowed(staffed, first) == {READ}
    assert staffed.read(lambda conn: deployments.newest(conn, "bot").digest) == second


def test_nobody_goes_back_to_what_is_present_already(staffed: Town) -> None:
    """It would only set back since when the deployment is the present one."""
    first, second = replaced(staffed)
    plan = replace(planned(staffed, first), to=second, orders=())

    answer = returned(staffed, plan, ROSA)
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.OTHER_MATTER


def test_the_owner_of_the_earlier_grant_restores_it_under_no_other_owners_name(staffed: Town) -> None:
    """F7: the earlier words say who owns the agent."""
    earlier = granted_draft(staffed, days=30)
    staffed.later(hours=1)
    drop_in(staffed, DemotionCause.SUPERSEDED)
    asked = restored(staffed, earlier, days=5, owner="stranger")

    answer = restore_by(staffed, OLGA, asked)
    assert isinstance(answer, Refused)
    assert allowed(staffed) == {READ}
    assert isinstance(restore_by(staffed, ROSA, asked), Issued)
