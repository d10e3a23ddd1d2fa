"""Which policy versions hold: the chain from the pinned root, decided from bytes alone. Pure.

1. Version 1 holds if its digest is the pinned root and each of its keys signed it.
2. Version n+1 holds if it names version n's digest and enough persons of version n signed it (at least two).
3. One exception: while version 1 has one person, that person alone may add the second, and nothing else.
4. A key that died while version n was current signs nothing after version n.
5. Up to the pinned head the chain must be whole; beyond it, a version that does not hold changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from profiles.policy import Policy
from runtime.people.errors import PolicyChainError
from runtime.people.pin import Pin
from runtime.people.quorum import Short
from runtime.people.roster import Roster, build_roster
from runtime.people.rules import MINIMUM_SIGNERS, judge_change, supports, unsigned_keys
from runtime.people.versions import Link, Revocation, Version, read_policy


@dataclass(frozen=True)
class PolicyState:
    """The policy in force.

    Attributes:
        head: the version in force.
        roster: who counts now.
        dead: keys that died by a signed word, with the version that was current then.
        problems: what in the database has no support; one sentence each, for `doctor` and `audit verify`.
    """

    head: Link
    roster: Roster
    dead: Mapping[str, int]
    problems: tuple[str, ...]


def walk(
    versions: Sequence[Version], revocations: Iterable[Revocation], *, pin: Pin, installation: str
) -> PolicyState:
    """Return the policy in force.

    Args:
        versions: what the database holds, oldest first.
        revocations: what the database holds.
        pin: what is remembered beside the database.
        installation: the origin of the log.

    Raises:
        PolicyChainError: what is pinned is not what is there; nobody can decide anything until it is.
    """
    chain = _Chain(installation, pin, revocations)
    pinned = _ancestry({version.digest: version for version in versions}, pin)
    head = chain.root(pinned[0])
    for version in pinned[1:]:
        head = chain.must_follow(head, version)
    known = {version.digest for version in pinned}
    head = chain.extend(head, [version for version in versions if version.digest not in known])
    return chain.finish(head)


def _ancestry(versions: Mapping[str, Version], pin: Pin) -> list[Version]:
    """Return the versions from the root to the pinned head; each digest names the one before."""
    found: list[Version] = []
    digest: str | None = pin.head
    for number in range(pin.version, 0, -1):
        version = versions.get(digest or "")
        if version is None or version.version != number:
            raise PolicyChainError(
                f"policy version {number} ({str(digest)[:16]}) was in force and is not in the database: "
                "it was changed, deleted or rolled back; restore it, then run `handrail audit verify`"
            )
        found.append(version)
        digest = version.previous
    if digest is not None or found[-1].digest != pin.root:
        raise PolicyChainError(f"policy version 1 is not the pinned root {pin.root[:16]}: it was replaced")
    return found[::-1]


class _Chain:
    """One walk: what was found so far, and which keys are dead by which version."""

    def __init__(self, installation: str, pin: Pin, revocations: Iterable[Revocation]) -> None:
        self._installation = installation
        self._dead: dict[str, int] = dict(pin.revoked)
        self._ever: dict[str, str] = {}
        self._problems: list[str] = []
        self._open = list(revocations)

    def root(self, version: Version) -> Link:
        """Accept version 1."""
        policy = read_policy(version)
        roster = self._roster(version.digest, policy)
        if missing := unsigned_keys(version, roster):
            raise PolicyChainError(f"policy version 1 is not signed by {', '.join(sorted(missing))}")
        return self._accept(Link(1, version.digest, version.text, policy), roster)

    def must_follow(self, head: Link, version: Version) -> Link:
        """Accept a pinned version."""
        found = self._follow(head, version)
        if isinstance(found, Short):
            raise PolicyChainError(f"policy version {version.version} lacks {'; '.join(found.missing)}")
        return found

    def extend(self, head: Link, rest: list[Version]) -> Link:
        """Accept what follows beyond the pin; what does not is a problem and changes nothing."""
        for version in rest:
            found = self._follow(head, version)
            if isinstance(found, Link):
                return self.extend(found, [other for other in rest if other is not version])
        self._problems += [
            f"policy version {version.version} ({version.digest[:16]}) is not signed as it must be: ignored"
            for version in rest
        ]
        return head

    def finish(self, head: Link) -> PolicyState:
        """Return the result; a revocation that nobody signed still stops its key."""
        unsigned = {revocation.fingerprint for revocation in self._open}
        self._problems += [f"nobody signed the revocation of {key}: honoured" for key in sorted(unsigned)]
        roster = build_roster(
            head.policy,
            installation=self._installation,
            source=head.digest,
            revoked=unsigned | set(self._dead),
            ever=self._ever,
        )
        return PolicyState(head, roster, MappingProxyType(self._dead), tuple(self._problems))

    def _follow(self, head: Link, version: Version) -> Link | Short:
        if (version.version, version.previous) != (head.version + 1, head.digest):
            return Short(("a place after the version in force",))
        try:
            policy = read_policy(version)
            roster = self._roster(version.digest, policy)
        except PolicyChainError as error:
            return Short((str(error),))
        met = judge_change(head, policy, version, self._roster(head.digest, head.policy, dying=True))
        if isinstance(met, Short):
            return met
        bootstrap = len(met.persons) < MINIMUM_SIGNERS
        return self._accept(Link(version.version, version.digest, version.text, policy, bootstrap), roster)

    def _accept(self, link: Link, roster: Roster) -> Link:
        """Take a version as holding, and the revocations that were signed while it was in force."""
        self._ever.update(roster.owners)
        found = [revocation for revocation in self._open if supports(revocation, roster, link)]
        self._open = [revocation for revocation in self._open if revocation not in found]
        for revocation in found:
            self._dead.setdefault(revocation.fingerprint, link.version)
        return link

    def _roster(self, digest: str, policy: Policy, *, dying: bool = False) -> Roster:
        """Return who counts under a version: without the keys that died before it, or also during it."""
        last = policy.version if dying else policy.version - 1
        revoked = {key for key, version in self._dead.items() if version <= last}
        return build_roster(policy, installation=self._installation, source=digest, revoked=revoked)
