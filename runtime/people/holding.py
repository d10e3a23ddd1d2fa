"""What a change of the policy does to who holds which role, and which groups there are. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from profiles.policy import Policy, Role
from runtime.people.edit import NewPerson
from runtime.people.errors import ChangeError


@dataclass(frozen=True, slots=True)
class Holding:
    """What one person may decide under a policy.

    Attributes:
        person: the name.
        roles: the roles held, in alphabetical order.
        before: the same under the policy before; None for whoever was not enrolled.
        idle: groups of the person that give no role.
    """

    person: str
    roles: tuple[Role, ...]
    before: tuple[Role, ...] | None
    idle: tuple[str, ...]


def holdings(old: Policy | None, new: Policy) -> tuple[Holding, ...]:
    """Return what everybody holds who is new in a policy, or holds something else by it.

    Args:
        old: the policy before; None where there is none.
        new: the policy that is to come.
    """
    known = {} if old is None else old.people
    found = (_holding(old if name in known else None, new, name) for name in new.people)
    return tuple(
        one for one in found if one.roles != one.before or new.people[one.person] != known[one.person]
    )


def check_groups(policy: Policy, people: Iterable[NewPerson]) -> None:
    """Refuse groups that a policy does not have: a misspelt one would give no role, and nobody would notice.

    A policy has the groups that it gives roles to, and those of its people.

    Raises:
        ChangeError: a person is named with another one.
    """
    known = {*_giving(policy), *(group for person in policy.people.values() for group in person.groups)}
    for person in people:
        if strange := sorted(set(person.groups) - known):
            raise ChangeError(
                f"`{person.name}`: got the group {', '.join(strange)}, expected one of "
                f"{', '.join(sorted(known)) or 'none'}; a policy file that names a new group begins it"
            )


def _holding(old: Policy | None, new: Policy, name: str) -> Holding:
    before = None if old is None else tuple(sorted(old.roles_of(name)))
    entry = new.people[name]
    idle = set() if entry.revoked else set(entry.groups) - _giving(new)
    return Holding(name, tuple(sorted(new.roles_of(name))), before, tuple(sorted(idle)))


def _giving(policy: Policy) -> frozenset[str]:
    return frozenset(group for holders in policy.roles.values() for group in holders.groups)
