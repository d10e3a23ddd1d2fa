"""Deployments without an engine: what they pin is invented, everything else about them is real."""

from collections.abc import Sequence
from datetime import timedelta

from profiles.effects import Effect
from profiles.load import LoadedProfile, shipped_profile
from runtime import agents
from runtime.clock import new_id
from runtime.deployments import Parts
from runtime.drafting import Draft, deploy
from runtime.grant_rules import Order
from runtime.grants import Issued
from runtime.people.statement import StatementType
from tests.standins.persons import Town
from tests.standins.towns import OLGA

OWNER = "olga"


def deployed(
    town: Town,
    agent: str = "bot",
    *,
    profile: str = "doc-reader",
    traits: Sequence[str] = ("internal-docs",),
    image: str = "sha256:aa",
    days: float = 35,
) -> str:
    """Create a deployment at the town's present moment, signed by olga; return its digest."""
    loaded: LoadedProfile = shipped_profile(profile)
    if agent not in town.read(lambda conn: {known.name for known in agents.everyone(conn)}):
        town.write(lambda tx: agents.register(tx, agent, traits, owner=OWNER, now=town.now))
    parts = Parts(agent=agent, profile=loaded.digest, image=image, upstream_images={}, manifest={})
    ends = town.now + timedelta(days=days)
    order = Order(new_id("grant"), parts.digest, Effect.READ, town.now, ends, "unix:root", OWNER)
    signed = town.signed(OLGA, order.matter(StatementType.DEPLOY))
    drafted = Draft(parts=parts, profile=loaded, offers={})
    issued = town.write(lambda tx: deploy(tx, drafted, order, signed, roster=town.state.roster, now=town.now))
    assert isinstance(issued, Issued), issued
    return parts.digest
