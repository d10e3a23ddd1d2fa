"""Who counts: the persons of one policy version with their keys, groups and roles. Pure.

`verify` is the one place where a signature becomes the word of a person. Nothing else may believe a row.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from profiles.policy import Policy, Role
from runtime.canonical import canonical
from runtime.errors import CanonicalError
from runtime.people import sshsig
from runtime.people.errors import KeyFormatError, PolicyChainError
from runtime.people.sshkeys import PublicKey
from runtime.people.statement import CLOCK_SKEW, Matter, SignedStatement, Statement, parse


class RefusalCode(StrEnum):
    """Every cause for which a statement proves nothing."""

    BAD_SIGNATURE = "bad_signature"
    MALFORMED = "malformed"
    OTHER_INSTALLATION = "other_installation"
    UNKNOWN_PERSON = "unknown_person"
    REVOKED = "revoked"
    NOT_THEIR_KEY = "not_their_key"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    USED = "used"
    OTHER_MATTER = "other_matter"
    NOT_PERMITTED = "not_permitted"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement, or a set of them, proves nothing: why, and the detail for people."""

    code: RefusalCode
    detail: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A person said this: signature, key and installation are right.

    Attributes:
        person: the voice it counts as.
        statement: what was said.
        signed: the same as it was signed, to be kept.
        fingerprint: the key that signed.
    """

    person: str
    statement: Statement
    signed: SignedStatement
    fingerprint: str

    @property
    def id(self) -> str:
        """The statement's id."""
        return self.signed.id


@dataclass(frozen=True)
class Roster:
    """The persons who count in this installation at one moment. Equal rosters have equal digests.

    Attributes:
        installation: the origin of the log.
        version: the policy's version.
        digest: over everything that decides who counts; caches use it as their key.
        policy: the policy itself.
        revoked: fingerprints that never count again, beyond those the policy marks.
        owners: whose key each fingerprint of this policy version is, whether or not it still counts.
        accounts: whose each other account is, in lower case.
        ever: as `owners`, over all versions so far; a word that only stops is believed by it.
    """

    digest: str
    installation: str = field(compare=False)
    version: int = field(compare=False)
    policy: Policy = field(compare=False, repr=False)
    revoked: frozenset[str] = field(compare=False, default=frozenset())
    owners: Mapping[str, str] = field(compare=False, repr=False, default_factory=dict)
    accounts: Mapping[str, str] = field(compare=False, repr=False, default_factory=dict)
    ever: Mapping[str, str] = field(compare=False, repr=False, default_factory=dict)

    @cached_property
    def persons(self) -> tuple[str, ...]:
        """The names of all who count: not revoked, and with a key that is not."""
        return tuple(sorted({name for key, name in self.owners.items() if self._counts(key, name)}))

    def roles_of(self, person: str) -> frozenset[Role]:
        """The roles of a person who counts; none for anyone else."""
        return self._roles.get(person, frozenset())

    def groups_of(self, person: str) -> frozenset[str]:
        """The groups of a person who counts; none for anyone else."""
        return self.policy.groups_of(person) if person in self.persons else frozenset()

    def person_of(self, name: str) -> str:
        """Return the person behind a name or an account such as `unix:alice`; strangers stay as named."""
        return self.accounts.get(name.casefold(), name)

    @cached_property
    def _roles(self) -> Mapping[str, frozenset[Role]]:
        return {person: self.policy.roles_of(person) for person in self.persons}

    def _counts(self, fingerprint: str, person: str) -> bool:
        return fingerprint not in self.revoked and not self.policy.people[person].revoked


def build_roster(
    policy: Policy,
    *,
    installation: str,
    source: str,
    revoked: Iterable[str] = (),
    ever: Mapping[str, str] | None = None,
) -> Roster:
    """Return the roster of a policy version.

    Args:
        policy: the checked policy.
        installation: the origin of the log.
        source: the digest of the policy version.
        revoked: fingerprints of keys that no longer count.
        ever: whose the keys of earlier versions were, where that is known.

    Raises:
        PolicyChainError: a key is malformed or belongs to two persons, or an account does.
    """
    owners: dict[str, str] = {}
    accounts: dict[str, str] = {}
    for name, person in policy.people.items():
        for line in person.keys:
            _claim(owners, _fingerprint(name, line), name)
        for account in person.identities:
            _claim(accounts, account.casefold(), name)
    dead = frozenset(revoked)
    known = {**(ever or {}), **owners}
    parts = [installation, source, *sorted(dead), "", *(f"{key} {known[key]}" for key in sorted(known))]
    return Roster(
        hashlib.sha256("\n".join(parts).encode()).hexdigest(),
        installation,
        policy.version,
        policy,
        dead,
        MappingProxyType(owners),
        MappingProxyType(accounts),
        MappingProxyType(known),
    )


def verify(signed: SignedStatement, roster: Roster, *, now: datetime) -> Verified | Refused:
    """Decide whether a statement that was just handed in is the word of a person, and still usable.

    The caller then checks what it is about (`about`) and keeps it (`statements.consume`), which uses it up.

    Args:
        signed: bytes and signature as received.
        roster: who counts now.
        now: the present moment, never before the record's high-water mark.
    """
    said = recheck(signed, roster)
    if isinstance(said, Refused):
        return said
    statement = said.statement
    if statement.at > now + CLOCK_SKEW:
        return Refused(RefusalCode.NOT_YET, f"made at {statement.at.isoformat()}, which is still to come")
    if now >= statement.usable_until:
        ended = statement.usable_until.isoformat()
        return Refused(RefusalCode.EXPIRED, f"usable until {ended}: sign a new one")
    return said


def recheck(signed: SignedStatement, roster: Roster) -> Verified | Refused:
    """Decide whether a statement that was used earlier is the word of a person who still counts."""
    opened = _open(signed)
    if isinstance(opened, Refused):
        return opened
    statement, fingerprint = opened
    refused = _speaks(statement, fingerprint, roster)
    return refused or Verified(statement.person, statement, signed, fingerprint)


def authentic(signed: SignedStatement, roster: Roster) -> Statement | Refused:
    """Decide whether a person said this who was ever enrolled here: enough for a word that only stops."""
    opened = _open(signed)
    if isinstance(opened, Refused):
        return opened
    statement, fingerprint = opened
    if statement.installation != roster.installation:
        return _elsewhere(statement, roster)
    if roster.ever.get(fingerprint) != statement.person:
        detail = f"{fingerprint} never was a key of `{statement.person}`"
        return Refused(RefusalCode.NOT_THEIR_KEY, detail)
    return statement


def about(said: Verified, matter: Matter) -> Refused | None:
    """Return why `said` is not exactly about `matter`, or None if it is (F9)."""
    statement = said.statement
    pairs = (
        ("type", statement.type, matter.type),
        ("subject", statement.subject, matter.subject),
        ("digest", statement.digest, matter.digest),
        ("body", canonical(statement.body), canonical(matter.body)),  # as bytes: in Python 1 equals true
    )
    for name, got, expected in pairs:
        if got != expected:
            return Refused(RefusalCode.OTHER_MATTER, f"its {name} is {got!r}, not {expected!r}")
    return None


def _open(signed: SignedStatement) -> tuple[Statement, str] | Refused:
    """Return the statement and the key that signed it; whose key that is remains to be asked."""
    checked = sshsig.verify(signed.signature, signed.body)
    if isinstance(checked, sshsig.Invalid):
        return Refused(RefusalCode.BAD_SIGNATURE, checked.reason)
    try:
        return parse(signed.body), checked.key.fingerprint
    except CanonicalError as error:
        return Refused(RefusalCode.MALFORMED, str(error))


def _speaks(statement: Statement, fingerprint: str, roster: Roster) -> Refused | None:
    """Return why this key does not speak for the person named, here; None if it does."""
    person = roster.policy.people.get(statement.person)
    if statement.installation != roster.installation:
        return _elsewhere(statement, roster)
    if person is None:
        return Refused(RefusalCode.UNKNOWN_PERSON, f"`{statement.person}` is not enrolled")
    if roster.owners.get(fingerprint) != statement.person:
        return Refused(RefusalCode.NOT_THEIR_KEY, f"{fingerprint} is no key of `{statement.person}`")
    if person.revoked or fingerprint in roster.revoked:
        return Refused(RefusalCode.REVOKED, f"`{statement.person}` or the key {fingerprint} is revoked")
    return None


def _elsewhere(statement: Statement, roster: Roster) -> Refused:
    detail = f"made for `{statement.installation}`, not for `{roster.installation}`"
    return Refused(RefusalCode.OTHER_INSTALLATION, detail)


def _fingerprint(name: str, line: str) -> str:
    try:
        return PublicKey.from_line(line).fingerprint
    except KeyFormatError as error:
        raise PolicyChainError(f"policy: a key of `{name}` cannot be read: {error}") from error


def _claim(owners: dict[str, str], what: str, name: str) -> None:
    if owners.setdefault(what, name) != name:
        both = f"`{owners[what]}` and `{name}`"
        raise PolicyChainError(f"policy: {what} belongs to {both}; expected one person")
