"""Changing the policy: the first version, and then one signature after the other until there are enough.

Each function here is the body of one transaction of the record: call it in `Ledger.submit`, and once a change
is committed call `PolicyBook.remember`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select

from profiles.policy import Policy, Role
from runtime.canonical import canonical
from runtime.moments import utc_text
from runtime.people.chain import PolicyState
from runtime.people.errors import ChangeError
from runtime.people.pin import Pin
from runtime.people.quorum import Short
from runtime.people.roster import Refused, Roster, Verified, about, build_roster, verify
from runtime.people.rules import (
    change_quorum,
    is_bootstrap,
    judge_change,
    not_just_second_person,
    unsigned_keys,
    voices_for,
)
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume, statements_on
from runtime.people.versions import Version, read_policy
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.people import PolicyChangeRow, PolicyVersionRow

CHANGE_LIFETIME: Final = timedelta(days=7)
"""How long a proposed change collects signatures."""

_VERSIONS = PolicyVersionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_CHANGES = PolicyChangeRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Applied:
    """The change is in force.

    Attributes:
        version: its number.
        digest: its digest.
        signers: who signed.
        bootstrap: whether it was the first person's lone enrolment of the second.
    """

    version: int
    digest: str
    signers: tuple[str, ...]
    bootstrap: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The change waits for more signatures.

    Attributes:
        digest: what the others sign.
        missing: what is missing, one phrase each.
        expires_at: when it is void.
    """

    digest: str
    missing: tuple[str, ...]
    expires_at: datetime


def first_version(text: str) -> Version:
    """Return version 1 as it is to be signed by each of its keys.

    Raises:
        PolicyChainError: the text is no policy of version 1.
        ChangeError: nobody is enrolled, or the persons enrolled could never change the policy.
    """
    version = Version(1, None, text)
    policy = read_policy(version)
    _check_changeable(version, policy, build_roster(policy, installation="", source=version.digest))
    return version


def init_policy(tx: Tx, text: str, signed: Iterable[SignedStatement], *, installation: str) -> Pin:
    """Put version 1 in force, and return its pin.

    Write the pin inside the same unit: after a crash in between, a pin without a policy is simply replaced by
    the next try, while a policy without a pin would be believed by nobody.

    Raises:
        ChangeError: there is a policy already, or a key of the policy did not sign it.
    """
    if tx.conn.execute(select(_VERSIONS.c.id).limit(1)).first():
        begun = "this installation has a policy already; two signatures change it"
        raise ChangeError(f"{begun}: `handrail person add NAME`, or `handrail policy propose FILE`")
    version = replace(first_version(text), signed=tuple(signed))
    roster = build_roster(read_policy(version), installation=installation, source=version.digest)
    if missing := unsigned_keys(version, roster):
        raise ChangeError(f"version 1 needs the signature of each of its keys; missing {', '.join(missing)}")
    for one in version.signed:
        said = _word_on(version, one, roster, now=tx.now)
        if refused := said if isinstance(said, Refused) else consume(tx, said):
            raise ChangeError(f"a signature of version 1 cannot be used: {refused.detail}")
    _apply(tx, version, None, roster.persons)
    return Pin(version.digest, 1, version.digest, {})


def next_version(state: PolicyState, text: str) -> Version:
    """Return a proposed change as it is to be signed.

    Raises:
        PolicyChainError: the text is no policy with the next version number.
        ChangeError: nobody could ever change the policy after it, or it does more than is possible now.
    """
    version = Version(state.head.version + 1, state.head.digest, text)
    policy = read_policy(version)
    if is_bootstrap(state.head) and (fault := not_just_second_person(state.head.policy, policy)):
        raise ChangeError(f"{fault}; do that first")
    roster = build_roster(
        policy, installation=state.roster.installation, source=version.digest, revoked=state.roster.revoked
    )
    _check_changeable(version, policy, roster)
    return version


def submit_change(
    tx: Tx, state: PolicyState, text: str, signed: SignedStatement, *, now: datetime
) -> Applied | Waiting | Refused:
    """Propose a change with the first signature. With one person enrolled this can put it in force.

    Raises:
        PolicyChainError: as `next_version`.
        ChangeError: as `next_version`.
    """
    version = next_version(state, text)
    said = _word_on(version, signed, state.roster, now=now)
    if isinstance(said, Refused):
        return said
    if not tx.conn.execute(select(_CHANGES.c.digest).where(_CHANGES.c.digest == version.digest)).first():
        tx.conn.execute(insert(PolicyChangeRow).values(_change_row(version, said.person, now)))
        tx.append(_proposed(tx, version, said.person, now))
    return _take(tx, state, version, said, expires_at=_pending(tx.conn, version.digest).expires_at)


def sign_change(
    tx: Tx, state: PolicyState, digest: str, signed: SignedStatement, *, now: datetime
) -> Applied | Waiting | Refused:
    """Add a signature to a proposed change, which puts it in force when enough are there.

    Raises:
        ChangeError: there is no such change, it expired, or another one came first.
    """
    row = _pending(tx.conn, digest)
    if now >= row.expires_at:
        raise ChangeError(f"change {digest[:16]} expired at {row.expires_at.isoformat()}: propose it again")
    if row.previous != state.head.digest:
        raise ChangeError(f"change {digest[:16]} was overtaken by another one: propose it again")
    version = next_version(state, row.text)
    if version.digest != digest:
        raise ChangeError(f"change {digest[:16]} is not what was proposed: its text was altered")
    said = _word_on(version, signed, state.roster, now=now)
    return said if isinstance(said, Refused) else _take(tx, state, version, said, expires_at=row.expires_at)


def pending_changes(conn: Connection, state: PolicyState, *, now: datetime) -> tuple[Row[Any], ...]:
    """Return the proposed changes that can still be signed, oldest first."""
    query = select(_CHANGES).where(_CHANGES.c.previous == state.head.digest, _CHANGES.c.expires_at > now)
    return tuple(conn.execute(query.order_by(_CHANGES.c.proposed_at)))


def _take(
    tx: Tx, state: PolicyState, version: Version, said: Verified, *, expires_at: datetime
) -> Applied | Waiting | Refused:
    """Use up a signature, and put the change in force if that is enough."""
    if refused := consume(tx, said):
        return refused
    voices = voices_for(version.matter, statements_on(tx.conn, version.subject), state.roster)
    signed = replace(version, signed=tuple(voice.signed for voice in voices.values()))
    met = judge_change(state.head, read_policy(version), signed, state.roster)
    if isinstance(met, Short):
        return Waiting(version.digest, met.missing, expires_at)
    return _apply(tx, signed, state.head.policy, met.persons)


def _apply(tx: Tx, version: Version, old: Policy | None, signers: tuple[str, ...]) -> Applied:
    # A row with this digest that did not hold until now was put there by hand, or it would be in force.
    tx.conn.execute(delete(_VERSIONS).where(_VERSIONS.c.digest == version.digest))
    tx.conn.execute(insert(PolicyVersionRow).values(_version_row(tx, version)))
    applied = Applied(version.version, version.digest, signers, old is not None and len(signers) == 1)
    for event in _events(tx, version, old, applied):
        tx.append(event)
    return applied


def _version_row(tx: Tx, version: Version) -> dict[str, object]:
    return {
        "version": version.version,
        "previous": version.previous,
        "digest": version.digest,
        "text": version.text,
        "statements": canonical([signed.id for signed in version.signed]).decode(),
        "applied_at": tx.now,
    }


def _change_row(version: Version, person: str, now: datetime) -> dict[str, object]:
    return {
        "digest": version.digest,
        "version": version.version,
        "previous": version.previous,
        "text": version.text,
        "proposed_by": person,
        "proposed_at": now,
        "expires_at": now + CHANGE_LIFETIME,
    }


def _proposed(tx: Tx, version: Version, person: str, now: datetime) -> Event:
    return Event(
        kind=EventKind.POLICY_PROPOSED,
        at=tx.now,
        actor=person,
        subject=version.digest,
        data={
            "version": version.version,
            "previous": version.previous,
            "proposed_at": utc_text(now),
            "expires_at": utc_text(now + CHANGE_LIFETIME),
        },
        payload={"text": version.text},
    )


def _events(tx: Tx, version: Version, old: Policy | None, applied: Applied) -> Iterator[Event]:
    yield Event(
        kind=EventKind.POLICY_CHANGED,
        at=tx.now,
        actor=applied.signers[0],
        subject=version.digest,
        data={
            "version": version.version,
            "previous": version.previous,
            "signers": list(applied.signers),
            "bootstrap": applied.bootstrap,
            "statements": [signed.id for signed in version.signed],
        },
        payload={"text": version.text},
    )
    known = {} if old is None else old.people
    for name, person in read_policy(version).people.items():
        if name not in known:
            yield Event(kind=EventKind.PERSON_ADDED, at=tx.now, actor=applied.signers[0], subject=name)
        elif person.revoked and not known[name].revoked:
            yield Event(kind=EventKind.PERSON_REVOKED, at=tx.now, actor=applied.signers[0], subject=name)


def _pending(conn: Connection, digest: str) -> Row[Any]:
    row = conn.execute(select(_CHANGES).where(_CHANGES.c.digest == digest)).first()
    if row is None:
        raise ChangeError(f"no proposed change {digest[:16]}: `handrail policy show` lists what waits")
    return row


def _word_on(
    version: Version, signed: SignedStatement, roster: Roster, *, now: datetime
) -> Verified | Refused:
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    return about(said, version.matter) or said


def _check_changeable(version: Version, policy: Policy, roster: Roster) -> None:
    """Refuse a policy that nobody could ever change again."""
    if not policy.people:
        raise ChangeError("the policy enrols nobody: name at least one person with a key")
    if version.version == 1 and len(policy.people) == 1:
        if Role.POLICY not in policy.roles_of(*policy.people):
            raise ChangeError(f"the first person needs the role {Role.POLICY}, to add the second")
        return
    met = change_quorum(policy, roster.persons, roster)
    if isinstance(met, Short):
        raise ChangeError(f"nobody could change such a policy again; it lacks {'; '.join(met.missing)}")
