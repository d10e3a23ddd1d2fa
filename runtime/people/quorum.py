"""Whether enough different persons have spoken. Pure.

Rules:
- a voice is a person, so a second key or account of the same person adds nothing;
- the persons excluded (the requester, the agent's owner) never count, by whatever account they are named;
- nobody is required means nobody can: a count of 0 is never satisfied;
- different groups means that each counted group is brought by another person;
- an acknowledgement comes from one person more than the quorum needs without them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from profiles.policy import Quorum, Role
from runtime.people.roster import Roster


@dataclass(frozen=True, slots=True)
class Met:
    """Enough persons have spoken; these are the voices that counted."""

    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Short:
    """Not enough persons have spoken: everything that is missing, one phrase each."""

    missing: tuple[str, ...]


def check_quorum(
    quorum: Quorum, voices: Collection[str], roster: Roster, *, excluded: Collection[str] = ()
) -> Met | Short:
    """Decide whether these voices satisfy a quorum.

    Args:
        quorum: how many, and who.
        voices: persons whose verified statements are at hand; repeats do not matter.
        roster: who counts now, with which groups and roles; looked up again at each use (F6).
        excluded: persons or accounts that may not take part.
    """
    barred = {roster.person_of(name) for name in excluded}
    present = {voice: roster.roles_of(voice) for voice in voices if voice not in barred}
    found = _enough(quorum, present, roster)
    role = quorum.acknowledged_by
    if role is None or isinstance(found, Short):
        return found
    for person in sorted(name for name, roles in present.items() if role in roles):
        others = {name: roles for name, roles in present.items() if name != person}
        if isinstance(met := _enough(quorum, others, roster), Met):
            return Met((*met.persons, person))
    return Short((f"an acknowledgement by one more person with the role {role}",))


def distinct_groups(groups: Mapping[str, frozenset[str]]) -> int:
    """Return how many groups can be brought by one person each (a maximum bipartite matching).

    Found by augmenting paths. One person in two groups brings one, not two.
    """
    holder: dict[str, str] = {}

    def place(person: str, seen: set[str]) -> bool:
        for group in sorted(groups[person]):
            if group in seen:
                continue
            seen.add(group)
            if group not in holder or place(holder[group], seen):
                holder[group] = person
                return True
        return False

    return sum(place(person, set()) for person in sorted(groups))


def _enough(quorum: Quorum, present: Mapping[str, frozenset[Role]], roster: Roster) -> Met | Short:
    counted = {person: roles for person, roles in present.items() if roles & set(quorum.roles)}
    held = frozenset[Role]().union(*counted.values())
    missing = [f"a person with the role {role}" for role in quorum.each_of if role not in held]
    needed = max(quorum.count, 1)
    if len(counted) < needed:
        missing.append(f"{needed - len(counted)} more of {needed} with the role {' or '.join(quorum.roles)}")
    groups = distinct_groups({person: roster.groups_of(person) for person in counted})
    if groups < quorum.groups and quorum.groups > 1:
        missing.append(f"persons of {quorum.groups} different groups, found {groups}")
    return Short(tuple(missing)) if missing else Met(tuple(sorted(counted)))
