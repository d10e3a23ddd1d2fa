"""What a policy version and a revocation consist of, before anything about them is believed. Pure."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

from profiles.errors import ProfileError
from profiles.load import parse_policy
from profiles.policy import Policy
from runtime.canonical import canonical
from runtime.people.errors import PolicyChainError
from runtime.people.statement import Matter, SignedStatement, StatementType


@dataclass(frozen=True, slots=True)
class Version:
    """One policy version as it was found. Nothing about it is believed yet.

    Attributes:
        version: 1, 2, 3...
        previous: the digest of the version before; None for the first.
        text: the policy file.
        signed: the statements that come with it.
    """

    version: int
    previous: str | None
    text: str
    signed: tuple[SignedStatement, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the version, the digest before it and the text: a link of the chain."""
        text = hashlib.sha256(self.text.encode()).hexdigest()
        return hashlib.sha256(
            canonical({"version": self.version, "previous": self.previous, "text": text})
        ).hexdigest()

    @property
    def subject(self) -> str:
        """What statements about it name as their subject."""
        return f"policy-version-{self.version}"

    @property
    def matter(self) -> Matter:
        """What a person signs to say yes to this version."""
        body = {"version": self.version, "previous": self.previous}
        return Matter(StatementType.POLICY, self.subject, self.digest, body)


@dataclass(frozen=True, slots=True)
class Revocation:
    """A key that is said to be dead, with the statement that says so, if there is one."""

    fingerprint: str
    signed: SignedStatement | None


@dataclass(frozen=True)
class Link:
    """A version that holds."""

    version: int
    digest: str
    text: str
    policy: Policy = field(repr=False)
    bootstrap: bool = False


def read_policy(version: Version) -> Policy:
    """Return the checked policy of a version.

    Raises:
        PolicyChainError: the text is no policy, or says another version number than its place in the chain.
    """
    return _read(version.version, version.text)


@lru_cache(maxsize=8)  # whoever starts or changes a policy reads the same text three or four times
def _read(number: int, text: str) -> Policy:
    name = f"policy version {number}"
    try:
        policy = parse_policy(text.encode(), source=name).policy
    except ProfileError as error:
        said = "; ".join(str(problem) for problem in error.problems)
        raise PolicyChainError(f"{name} cannot be read: {said}") from error
    if policy.version != number:
        raise PolicyChainError(f"{name}: its text says version {policy.version}; expected {number}")
    return policy
