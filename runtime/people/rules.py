"""The rules by which the policy changes and keys die. Pure.

A change needs the quorum that the version in force asks for, and never fewer than two persons. The one
exception: while version 1 has one person, that person alone may add the second, and nothing else.
"""

from collections.abc import Iterable

from profiles.policy import Policy, Role, RoleHolders
from runtime.canonical import JsonValue
from runtime.people.quorum import Met, Short, check_quorum
from runtime.people.roster import Refused, Roster, Verified, about, recheck
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.people.versions import Link, Revocation, Version

MINIMUM_SIGNERS = 2


def judge_change(old: Link, new: Policy, version: Version, roster: Roster) -> Met | Short:
    """Decide whether a new version has the signatures it needs.

    Args:
        old: the version in force.
        new: the policy of the new version.
        version: the new version with its statements.
        roster: who counts under the version in force.
    """
    voices = voices_for(version.matter, version.signed, roster)
    found = change_quorum(old.policy, voices, roster)
    if isinstance(found, Met) or not is_bootstrap(old):
        return found
    if fault := not_just_second_person(old.policy, new):
        return Short((fault,))
    return (
        Met(tuple(voices)) if set(voices) == set(old.policy.people) else Short(("the first person's word",))
    )


def change_quorum(policy: Policy, voices: Iterable[str], roster: Roster) -> Met | Short:
    """Decide whether these persons can change a policy."""
    asked = policy.policy_change
    count = max(asked.count, MINIMUM_SIGNERS)
    return check_quorum(asked.model_copy(update={"count": count}), tuple(voices), roster)


def voices_for(matter: Matter, signed: tuple[SignedStatement, ...], roster: Roster) -> dict[str, Verified]:
    """Return the persons whose statements are exactly about this matter, each once."""
    voices: dict[str, Verified] = {}
    for one in signed:
        said = recheck(one, roster)
        if isinstance(said, Verified) and about(said, matter) is None:
            voices.setdefault(said.person, said)
    return voices


def unsigned_keys(version: Version, roster: Roster) -> frozenset[str]:
    """Return the keys of version 1 that did not sign it."""
    said = [recheck(signed, roster) for signed in version.signed]
    signers = {
        one.fingerprint for one in said if isinstance(one, Verified) and about(one, version.matter) is None
    }
    return frozenset(roster.owners) - signers


def is_bootstrap(link: Link) -> bool:
    """Whether only the second person can be added now: version 1, with one person."""
    return link.version == 1 and len(link.policy.people) == 1


def not_just_second_person(old: Policy, new: Policy) -> str | None:
    """Return why a change does anything but add a second person who can change the policy; None if not."""
    added = set(new.people) - set(old.people)
    if len(added) != 1 or not set(old.people) <= set(new.people):
        return "with one person enrolled, the only possible change is to add exactly one more"
    (name,) = added
    if _without(new, name) != _without(old, name):
        return "with one person enrolled, a change may add the second person and touch nothing else"
    if Role.POLICY not in new.roles_of(name):
        return f"the role {Role.POLICY} for `{name}`: without it the policy could never change again"
    return None


def revocation_matter(person: str, keys: tuple[str, ...], link: Link, reason: str) -> Matter:
    """Return what is signed to declare a person's keys dead, while `link` is in force."""
    body: dict[str, JsonValue] = {"keys": sorted(keys), "version": link.version, "reason": reason}
    return Matter(StatementType.PERSON_REVOKE, person, link.digest, body)


def supports(revocation: Revocation, roster: Roster, link: Link) -> bool:
    """Whether the person themself, or a holder of the policy role, declared this key dead under `link`."""
    said = Refused if revocation.signed is None else recheck(revocation.signed, roster)
    if not isinstance(said, Verified):
        return False
    person, reason = said.statement.subject, said.statement.body.get("reason")
    keys = tuple(key for key, owner in roster.owners.items() if owner == person)
    if not isinstance(reason, str) or about(said, revocation_matter(person, keys, link, reason)):
        return False
    return revocation.fingerprint in keys and may_revoke(said.person, person, roster)


def may_revoke(signer: str, person: str, roster: Roster) -> bool:
    """Whether `signer` may declare these keys dead: one's own, or anyone's with the policy role."""
    return signer == person or Role.POLICY in roster.roles_of(signer)


def _without(policy: Policy, name: str) -> dict[str, object]:
    people = {other: entry for other, entry in policy.people.items() if other != name}
    roles = {role: _holders_without(holders, name) for role, holders in policy.roles.items()}
    kept = {role: holders for role, holders in roles.items() if holders != RoleHolders()}
    return policy.model_copy(update={"version": 0, "people": people, "roles": kept}).model_dump()


def _holders_without(holders: RoleHolders, name: str) -> RoleHolders:
    return holders.model_copy(update={"people": tuple(other for other in holders.people if other != name)})
