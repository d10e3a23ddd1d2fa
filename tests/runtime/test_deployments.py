"""Deployments: one digest over everything that shapes behaviour, created on one signed word."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from profiles.effects import Effect
from profiles.load import LoadedProfile, shipped_profile
from runtime import agents, deployments, grants
from runtime.clock import new_id
from runtime.demotion import DemotionCause
from runtime.deployments import DeploymentError, Parts, difference
from runtime.drafting import Draft, deploy
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.people.roster import Refused
from runtime.people.statement import StatementType
from tests.standins.persons import Person, Town
from tests.standins.towns import DORA, OLGA, allowed, staffed, town

__all__ = ["staffed", "town"]

LOADED = shipped_profile("doc-reader")
PARTS = Parts(
    agent="bot",
    profile=LOADED.digest,
    image="sha256:aa",
    upstream_images={"files": "sha256:bb"},
    manifest={"files": {"tool:read": "cc"}},
)


def order_for(town: Town, parts: Parts = PARTS) -> Order:
    ends = town.now + timedelta(days=7)
    return Order(new_id("grant"), parts.digest, Effect.READ, town.now, ends, "olga", "olga")


def create(
    town: Town, signer: Person = OLGA, parts: Parts = PARTS, loaded: LoadedProfile = LOADED
) -> Issued | Refused:
    town.write(lambda tx: agents.register(tx, "bot", ["internal-docs"], owner="olga", now=town.now))
    return sign_for(town, signer, parts, loaded)


def sign_for(
    town: Town, signer: Person = OLGA, parts: Parts = PARTS, loaded: LoadedProfile = LOADED
) -> Issued | Refused:
    drafted = Draft(parts=parts, profile=loaded, offers={})
    order = order_for(town, parts)
    signed = town.signed(signer, order.matter(StatementType.DEPLOY))
    roster = town.state.roster
    return town.write(lambda tx: deploy(tx, drafted, order, signed, roster=roster, now=town.now))


@pytest.mark.parametrize(
    ("part", "other"),
    [
        ("agent", "bot2"),
        ("profile", "0" * 64),
        ("image", "sha256:ab"),
        ("upstream_images", {"files": "sha256:b0"}),
        ("manifest", {"files": {"tool:read": "c0"}}),
        ("memory", "0" * 64),
    ],
)
def test_any_difference_in_any_part_is_another_deployment(part: str, other: object) -> None:
    """R-68, R-76: image, tools, profile and memory are all in the digest."""
    changed = replace(PARTS, **{part: other})

    assert changed.digest != PARTS.digest
    assert [found.part.split(".")[0] for found in difference(PARTS, changed)] == [part]


def test_an_operators_word_creates_the_deployment_at_tier_0(staffed: Town) -> None:
    """R-15, R-31: the profile is pinned; only reading is granted."""
    assert isinstance(create(staffed), Issued)

    found = staffed.read(lambda conn: deployments.newest(conn, "bot"))

    assert found.parts == PARTS
    assert found.profile == LOADED.profile
    assert allowed(staffed, found.digest) == {Effect.READ}


def test_a_word_of_somebody_else_creates_nothing(staffed: Town) -> None:
    refused = create(staffed, signer=DORA)

    assert isinstance(refused, Refused)
    assert staffed.count("deployment") == 0
    assert "deployment.created" not in staffed.kinds()


def test_a_profile_other_than_the_pinned_one_creates_nothing(staffed: Town) -> None:
    with pytest.raises(DeploymentError, match="expected"):
        create(staffed, loaded=shipped_profile("outreach"))

    assert staffed.count("deployment") == 0
    assert staffed.count("effect_grant") == 0


def test_a_stored_part_changed_by_hand_is_not_believed(staffed: Town) -> None:
    create(staffed)

    staffed.tamper("UPDATE deployment SET parts = CAST(replace(CAST(parts AS TEXT), ':aa', ':ee') AS BLOB)")

    with pytest.raises(DeploymentError, match="not what its digest says"):
        staffed.read(lambda conn: deployments.newest(conn, "bot"))


def test_a_digest_may_be_shortened_but_not_guessed(staffed: Town) -> None:
    create(staffed)

    assert staffed.read(lambda conn: deployments.find(conn, PARTS.digest[:8])).digest == PARTS.digest
    with pytest.raises(DeploymentError, match="at least the first 8"):
        staffed.read(lambda conn: deployments.find(conn, PARTS.digest[:7]))
    with pytest.raises(DeploymentError, match="0 match"):
        staffed.read(lambda conn: deployments.find(conn, "%" * 8))


def revoke_all(town: Town) -> None:
    cause, effects = DemotionCause.CHANGED.value, tuple(Effect)
    town.write(
        lambda tx: grants.revoke(tx, PARTS.digest, effects=effects, cause=cause, actor="test", now=tx.now)
    )


def let_it_run_out(town: Town) -> None:
    town.later(days=8)


@pytest.mark.parametrize("lose", [revoke_all, let_it_run_out])
def test_a_deployment_that_may_not_even_read_is_signed_anew_at_tier_0(
    staffed: Town, lose: Callable[[Town], None]
) -> None:
    """R-76, R-40: its upstream is as it was again, or nobody renewed it; nothing but reading comes back."""
    create(staffed)
    lose(staffed)
    assert allowed(staffed, PARTS.digest) == set()

    assert isinstance(sign_for(staffed), Issued)

    assert allowed(staffed, PARTS.digest) == {Effect.READ}
    assert staffed.count("deployment") == 1
    assert staffed.kinds().count("deployment.created") == 1


def test_signing_anew_takes_an_operator_too(staffed: Town) -> None:
    create(staffed)
    revoke_all(staffed)

    assert isinstance(sign_for(staffed, signer=DORA), Refused)
    assert allowed(staffed, PARTS.digest) == set()


def test_a_deployment_that_may_read_and_one_of_the_past_are_not_signed_again(staffed: Town) -> None:
    """R-40: the way back to an earlier one is `deploy rollback`, with rules of its own."""
    create(staffed)
    with pytest.raises(DeploymentError, match="exists already"):
        sign_for(staffed)
    revoke_all(staffed)
    staffed.later(minutes=1)
    assert isinstance(sign_for(staffed, parts=replace(PARTS, image="sha256:ab")), Issued)
    with pytest.raises(DeploymentError, match="exists already"):
        sign_for(staffed)

    assert allowed(staffed, PARTS.digest) == set()
