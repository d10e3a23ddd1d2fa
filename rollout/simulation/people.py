"""The people of the simulation: each with a key of their own, and the shipped policy that names them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from profiles.load import shipped_policy
from rollout.simulation.chance import Chance
from runtime.people.edit import NewPerson, with_people
from runtime.people.sshsig import public_key_of, sign
from runtime.people.statement import NONCE_BYTES, Matter, SignedStatement, draft

GROUPS: Final = {
    "otto": ("operations", "policy"),  # operates
    "olga": ("operations",),  # owns the agent
    "rosa": ("rollout", "policy"),
    "rob": ("review",),
    "ria": ("review",),
    "dora": ("domain",),
    "sven": ("security",),
    "lena": ("leadership",),
}
OWNER: Final = "olga"


@dataclass(frozen=True)
class SimulatedPerson:
    """Someone who signs without being asked twice."""

    name: str
    key: Ed25519PrivateKey = field(repr=False)
    chance: Chance = field(repr=False)

    def says(self, matter: Matter, *, to: str, at: datetime) -> SignedStatement:
        """Sign a matter for the installation `to`."""
        nonce = self.chance.bytes(NONCE_BYTES)
        body = draft(matter, installation=to, person=self.name, now=at, nonce=nonce).to_bytes()
        return SignedStatement(body, sign(self.key, body))


def make_people(chance: Chance) -> dict[str, SimulatedPerson]:
    """Make everybody, by name."""
    return {
        name: SimulatedPerson(name, Ed25519PrivateKey.from_private_bytes(chance.bytes(32)), chance)
        for name in GROUPS
    }


def policy_text(people: dict[str, SimulatedPerson]) -> str:
    """Return the shipped policy with these people enrolled."""
    enrolled = [
        NewPerson(name, (public_key_of(person.key).line,), GROUPS[name]) for name, person in people.items()
    ]
    return with_people(shipped_policy().text, enrolled, version=1)
