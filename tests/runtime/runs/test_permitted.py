"""A launch that could do nothing is refused before anything is made, with the next step."""

import re
from collections.abc import Callable

import pytest

from profiles.effects import Effect
from profiles.load import shipped_profile
from runtime import agents, deployments, freeze, grants
from runtime.clock import new_id
from runtime.deployments import Parts
from runtime.drafting import Draft, deploy
from runtime.freeze_rules import Scope, Stop, matter_to_unfreeze
from runtime.grants import Issued
from runtime.people.statement import StatementType
from runtime.runs.permitted import check_permitted
from runtime.runs.states import RunError
from tests.standins.persons import Town
from tests.standins.towns import DORA, OLGA, ROSA, grant, order, staffed, stop_of, town

__all__ = ["staffed", "town"]

LOADED = shipped_profile("doc-reader")
PARTS = Parts(agent="bot", profile=LOADED.digest, image="sha256:aa", upstream_images={}, manifest={})


@pytest.fixture
def deployed(staffed: Town) -> Town:
    """A town with one deployment at tier 0."""
    staffed.write(lambda tx: agents.register(tx, "bot", ["internal-docs"], owner="olga", now=staffed.now))
    first = order(staffed, Effect.READ, deployment=PARTS.digest)
    signed = staffed.signed(OLGA, first.matter(StatementType.DEPLOY))
    drafted, roster = Draft(parts=PARTS, profile=LOADED, offers={}), staffed.state.roster
    issued = staffed.write(lambda tx: deploy(tx, drafted, first, signed, roster=roster, now=staffed.now))
    assert isinstance(issued, Issued)
    return staffed


def check(town: Town) -> None:
    deployment = town.read(lambda conn: deployments.newest(conn, "bot"))
    roster = town.state.roster
    town.read(lambda conn: check_permitted(conn, deployment, now=town.now, roster=roster))


def set_freeze(town: Town, scope: Scope, target: str) -> str:
    stop = stop_of(scope, target, town)
    signed = town.signed(DORA, stop.matter)
    roster = town.state.roster
    answer = town.write(lambda tx: freeze.freeze(tx, stop, signed, roster=roster, now=town.now))
    assert isinstance(answer, Stop)
    return stop.id


@pytest.mark.parametrize(
    ("scope", "target"), [(Scope.ALL, "all"), (Scope.AGENT, "bot"), (Scope.DEPLOYMENT, PARTS.digest)]
)
def test_a_frozen_deployment_is_not_launched_until_the_freeze_is_lifted(
    deployed: Town, scope: Scope, target: str
) -> None:
    """R-64."""
    check(deployed)
    frozen = set_freeze(deployed, scope, target)
    said = rf"of agent bot is frozen: numbers look wrong \(by dora\); .*`handrail unfreeze {frozen} "
    with pytest.raises(RunError, match=said):
        check(deployed)
    lift = deployed.signed(OLGA, matter_to_unfreeze(frozen, reason="looked"))
    roster = deployed.state.roster
    deployed.write(lambda tx: freeze.unfreeze(tx, lift, roster=roster, now=deployed.now))
    check(deployed)


def test_a_freeze_of_another_agent_stops_nothing_here(deployed: Town) -> None:
    set_freeze(deployed, Scope.AGENT, "bot2")
    check(deployed)


def test_a_freeze_that_lost_its_row_stops_the_launch_and_says_where_to_look(deployed: Town) -> None:
    frozen = set_freeze(deployed, Scope.AGENT, "bot2")
    deployed.tamper("DELETE FROM freeze WHERE id = :id", id=frozen)
    with pytest.raises(RunError, match=f"{frozen}.*run `handrail audit verify`"):
        check(deployed)


def revoked(town: Town) -> None:
    town.write(
        lambda tx: grants.revoke(
            tx, PARTS.digest, effects=tuple(Effect), cause="test", actor="x", now=town.now
        )
    )


def expired(town: Town) -> None:
    town.later(days=8)


def unsigned(town: Town) -> None:
    town.tamper("UPDATE effect_grant SET requester = :name", name=new_id("someone"))


@pytest.mark.parametrize("end", [revoked, expired, unsigned])
def test_without_a_standing_read_grant_nothing_is_launched(
    deployed: Town, end: Callable[[Town], None]
) -> None:
    """DESIGN section 3: the effective tier is read at the launch; a higher grant alone is no tier."""
    end(deployed)
    assert isinstance(grant(deployed, order(deployed, Effect.DRAFT, deployment=PARTS.digest), ROSA), Issued)
    said = f"{PARTS.digest[:12]} of agent bot has no standing `read` grant"
    with pytest.raises(RunError, match=re.escape(said)) as refused:
        check(deployed)
    assert "`handrail grants list --agent bot`" in str(refused.value)
    assert "`handrail deploy create bot`" in str(refused.value)
