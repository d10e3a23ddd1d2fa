"""Checks across the parts of a policy, and the floors that no organisation can go below. Pure."""

import base64
import binascii
from collections.abc import Iterator, Mapping

from profiles.base import Place
from profiles.effects import Effect
from profiles.findings import Finding
from profiles.never_consistency import repeated_ids
from profiles.policy import Policy, Quorum

_WRITES = (Effect.DRAFT, Effect.UPDATE, Effect.SEND, Effect.CRITICAL)
_TWO_PERSONS = 2
_FIRST_DWELL_DAYS = 14
_KEY_BYTES = 32


def policy_findings(policy: Policy) -> Iterator[Finding]:
    """List everything in a policy that contradicts another part of it or goes below a floor.

    Args:
        policy: A policy whose parts are each well formed.

    Yields:
        The findings; none means the policy can be used.
    """
    yield from _people(policy)
    yield from _role_holders(policy)
    yield from _quorums(policy)
    yield from _thresholds(policy)
    yield from repeated_ids(policy.never)
    for index, rule in enumerate(policy.never):
        if any(condition.argument is not None for condition in rule.when):
            yield Finding(("never", index, "when"), "got an argument, expected a role instead")


def _people(policy: Policy) -> Iterator[Finding]:
    keys: dict[str, str] = {}
    identities: dict[str, str] = {}
    for name, person in policy.people.items():
        for key in person.keys:
            yield from _key(("people", name, "keys"), key)
            yield from _taken(("people", name, "keys"), name, key.split(" ")[1], keys)
        for identity in person.identities:
            yield from _taken(("people", name, "identities"), name, identity.casefold(), identities)


def _taken(place: Place, person: str, thing: str, owners: dict[str, str]) -> Iterator[Finding]:
    other = owners.setdefault(thing, person)
    if other != person:
        yield Finding(place, f"got what already belongs to {other!r}, expected one person for each")


def _key(place: Place, line: str) -> Iterator[Finding]:
    kind, encoded = line.split(" ")[:2]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        blob = b""
    head = len(kind).to_bytes(4) + kind.encode() + _KEY_BYTES.to_bytes(4)
    whole = len(head) + _KEY_BYTES
    plain = kind == "ssh-ed25519"
    if not blob.startswith(head) or (len(blob) != whole if plain else len(blob) <= whole):
        yield Finding(place, f"got {encoded[:16]}..., expected the whole of an OpenSSH {kind} public key")


def _role_holders(policy: Policy) -> Iterator[Finding]:
    for role, holders in policy.roles.items():
        for person in holders.people:
            if person not in policy.people:
                yield Finding(("roles", role.value, "people"), f"got {person!r}, expected one of people")


def _quorums(policy: Policy) -> Iterator[Finding]:
    yield from _complete(("holds",), policy.holds, tuple(Effect))
    yield from _complete(("promotions",), policy.promotions, _WRITES)
    yield from _two(("policy_change",), policy.policy_change)
    yield from _two(("holds", "critical"), policy.holds.get(Effect.CRITICAL))
    for effect in (Effect.SEND, Effect.CRITICAL):
        quorum = policy.promotions.get(effect)
        yield from _two(("promotions", effect.value), quorum)
        if quorum and quorum.groups < _TWO_PERSONS:
            yield Finding(("promotions", effect.value, "groups"), f"got {quorum.groups}, expected 2 or more")
    if Effect.CRITICAL in policy.promotions and not policy.promotions[Effect.CRITICAL].acknowledged_by:
        yield Finding(("promotions", "critical"), "got no acknowledged_by, expected leadership")


def _two(place: Place, quorum: Quorum | None) -> Iterator[Finding]:
    if quorum and quorum.count < _TWO_PERSONS:
        yield Finding((*place, "count"), f"got {quorum.count}, expected 2 persons or more")


def _thresholds(policy: Policy) -> Iterator[Finding]:
    yield from _complete(("thresholds",), policy.thresholds, _WRITES)
    first = policy.thresholds.get(Effect.DRAFT)
    if first and first.observed_days < _FIRST_DWELL_DAYS:
        said = f"got {first.observed_days}, expected 14 days or more"
        yield Finding(("thresholds", "draft", "observed_days"), said)
    last = 0.0
    for effect in _WRITES:
        threshold = policy.thresholds.get(effect)
        if threshold and threshold.agreement < last:
            said = f"got {threshold.agreement}, expected at least {last}, as for the class below"
            yield Finding(("thresholds", effect.value, "agreement"), said)
        last = threshold.agreement if threshold else last
        if threshold and threshold.decide_by_days < threshold.observed_days:
            said = "got a day before observed_days is over, expected a later one"
            yield Finding(("thresholds", effect.value, "decide_by_days"), said)


def _complete(place: Place, given: Mapping[Effect, object], wanted: tuple[Effect, ...]) -> Iterator[Finding]:
    for effect in wanted:
        if effect not in given:
            yield Finding((*place, effect.value), "is missing; it has no default")
    for effect in given:
        if effect not in wanted:
            said = f"got {effect.value}, expected only {', '.join(wanted)}"
            yield Finding((*place, effect.value), said)
