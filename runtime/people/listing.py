"""The persons of the policy in force, as `handrail person list` shows them. Pure."""

from dataclasses import dataclass

from profiles.policy import Role
from runtime.people.chain import PolicyState


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key, and whether it still counts."""

    fingerprint: str
    counts: bool


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person: the keys, and the groups and roles that count now (none once revoked)."""

    name: str
    counts: bool
    keys: tuple[ListedKey, ...]
    groups: tuple[str, ...]
    roles: tuple[Role, ...]


def list_people(state: PolicyState) -> tuple[ListedPerson, ...]:
    """Return everyone the policy names, also those revoked, in the order of their names."""
    return tuple(_listed(state, name) for name in sorted(state.head.policy.people))


def _listed(state: PolicyState, name: str) -> ListedPerson:
    roster = state.roster
    gone = roster.policy.people[name].revoked
    keys = tuple(
        ListedKey(key, not gone and key not in roster.revoked)
        for key, owner in roster.owners.items()
        if owner == name
    )
    return ListedPerson(
        name,
        name in roster.persons,
        keys,
        tuple(sorted(roster.groups_of(name))),
        tuple(sorted(roster.roles_of(name))),
    )
