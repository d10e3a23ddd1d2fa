"""Declaring a person's keys dead: at once, by one signature, because it only takes power away.

The person themself may do it, or a holder of the policy role. It lasts for ever; new keys come with a policy
change, which two persons sign. Call `revoke_keys` in `Ledger.submit`, and after the commit
`PolicyBook.remember`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert

from runtime.moments import utc_text
from runtime.people.chain import PolicyState
from runtime.people.errors import ChangeError
from runtime.people.roster import RefusalCode, Refused, Verified, about, verify
from runtime.people.rules import may_revoke, revocation_matter
from runtime.people.statement import Matter, SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.people import KeyRevocationRow


@dataclass(frozen=True, slots=True)
class Revoked:
    """These keys count no more."""

    person: str
    keys: tuple[str, ...]


def matter_to_revoke(state: PolicyState, person: str, *, reason: str) -> Matter:
    """Return what is signed to declare all keys of a person dead.

    Raises:
        ChangeError: nobody of this name is enrolled.
    """
    keys = _keys_of(state, person)
    if not keys:
        raise ChangeError(f"`{person}` is not enrolled: `handrail person list` shows who is")
    return revocation_matter(person, keys, state.head, reason)


def revoke_keys(tx: Tx, state: PolicyState, signed: SignedStatement, *, now: datetime) -> Revoked | Refused:
    """Declare all keys of the person whom the statement names dead, from this transaction on."""
    said = verify(signed, state.roster, now=now)
    if isinstance(said, Refused):
        return said
    person = said.statement.subject
    if refused := _permitted(said, person, state) or consume(tx, said):
        return refused
    keys = _keys_of(state, person)
    rows = [{"fingerprint": key, "statement": said.id, "person": person, "revoked_at": now} for key in keys]
    tx.conn.execute(insert(KeyRevocationRow), rows)
    tx.append(
        Event(
            kind=EventKind.PERSON_REVOKED,
            at=tx.now,
            actor=said.person,
            subject=person,
            data={"keys": list(keys), "statement": said.id, "revoked_at": utc_text(now)},
        )
    )
    return Revoked(person, keys)


def _permitted(said: Verified, person: str, state: PolicyState) -> Refused | None:
    reason = said.statement.body.get("reason")
    keys = _keys_of(state, person)
    matter = revocation_matter(person, keys, state.head, reason if isinstance(reason, str) else "")
    if refused := about(said, matter):
        return refused
    if not keys or not may_revoke(said.person, person, state.roster):
        return Refused(RefusalCode.NOT_PERMITTED, "only the person or a holder of the policy role may")
    return None


def _keys_of(state: PolicyState, person: str) -> tuple[str, ...]:
    return tuple(sorted(key for key, owner in state.roster.owners.items() if owner == person))
