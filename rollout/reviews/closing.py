"""Closing a review: signed words over the packet that stands, and what follows from them in the same unit.

- Who may is the policy's to say (`reviews.close`), and never the agent's owner.
- If it takes several persons, each signs the same; printing again, or other words, begins anew.
- An obligation's row does not say that it is closed: the stored words do, checked whenever it matters.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, update

from rollout.reviews.closure import Closure, closure_of, lacking, matter_to_close
from rollout.reviews.kinds import OWED, ObligationState
from rollout.reviews.obligations import follow
from rollout.reviews.packet.model import Packet
from rollout.reviews.printing import Shown
from rollout.reviews.renewal import renews_until
from rollout.reviews.rows import obligation_of, packet_row
from runtime import suspension_rows
from runtime.alerts.incidents import open_incident
from runtime.alerts.rules import IncidentCause
from runtime.clock import NewId
from runtime.grant_chain import Renewal
from runtime.grant_moves import renew
from runtime.people.quorum import Met, Short, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck, verify
from runtime.people.statement import Matter, SignedStatement
from runtime.people.statements import consume, statements_on
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import SuspensionCode
from runtime.suspensions import suspend
from runtime.tables.reviews import ObligationRow

_OBLIGATION = ObligationRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Closed:
    """The review is closed.

    Attributes:
        obligation: the review's id.
        persons: whose words closed it.
        renewed: the grants that it renewed.
        incidents: incidents that it opened: somebody could not explain a pattern.
        following: the next review of its kind, where this call made it.
    """

    obligation: str
    persons: tuple[str, ...]
    renewed: tuple[Renewal, ...]
    incidents: tuple[str, ...]
    following: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The word is kept; the policy asks for more persons, who must sign the same."""

    obligation: str
    persons: tuple[str, ...]
    missing: tuple[str, ...]


def close(
    tx: Tx, shown: Shown, signed: SignedStatement, *, roster: Roster, new_id: NewId
) -> Closed | Waiting | Refused:
    """Take one person's word on a review, and close it if that is enough.

    The caller undoes the unit where this is refused: raise inside it.

    Args:
        tx: the unit of work.
        shown: the packet that stands, read from the record.
        signed: a REVIEW statement over `matter_to_close(packet, closure)`.
        roster: who counts now, and the policy in force.
        new_id: names what follows.

    Raises:
        ReviewError: there is no such review.
    """
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    closure = closure_of(said.statement)
    if closure is None:
        return Refused(RefusalCode.OTHER_MATTER, "closing a review takes its dispositions and answers")
    owed = obligation_of(tx.conn, shown.packet.head.obligation)
    refused = (
        _not_this(tx.conn, owed, shown)
        or _incomplete(shown.packet, closure, said)
        or _may_not(tx.conn, owed, said, roster)
        or _stale(tx, owed, shown.packet, closure, roster)
        or consume(tx, said)
    )
    if refused is not None:
        return refused
    words = voices(tx.conn, owed.id, matter_to_close(shown.packet, closure), roster=roster)
    persons = tuple(said.person for said in words)
    met = enough(tx.conn, owed, persons, roster=roster)
    if isinstance(met, Short):
        return Waiting(owed.id, persons, met.missing)
    renewed = renew(tx, words, roster=roster, now=tx.now)
    if isinstance(renewed, Refused):
        return renewed
    _mark(tx, owed, shown.packet, closure, words)
    following = follow(tx, owed.id, rules=roster.policy.reviews, new_id=new_id)
    return Closed(owed.id, persons, renewed, _escalated(tx, owed, closure), following)


def voices(conn: Connection, obligation: str, matter: Matter, *, roster: Roster) -> tuple[Verified, ...]:
    """Return the stored words that say exactly this about a review, one for each person."""
    heard = (recheck(word, roster) for word in statements_on(conn, obligation))
    same = [said for said in heard if isinstance(said, Verified) and about(said, matter) is None]
    return tuple({said.person: said for said in same}.values())


def said_about(conn: Connection, packet: Packet, *, roster: Roster) -> dict[str, Closure]:
    """Return what each person who counts has signed about exactly this packet."""
    heard = (recheck(word, roster) for word in statements_on(conn, packet.head.obligation))
    said = [one for one in heard if isinstance(one, Verified) and one.statement.digest == packet.digest]
    closures = {one.person: closure_of(one.statement) for one in said}
    return {person: closure for person, closure in closures.items() if closure is not None}


def enough(conn: Connection, owed: ObligationRow, persons: Collection[str], *, roster: Roster) -> Met | Short:
    """Return whether these persons close a review, or who is missing."""
    owners = suspension_rows.owners(conn, owed.deployment)
    return check_quorum(roster.policy.reviews.close, persons, roster, excluded=owners)


def _not_this(conn: Connection, owed: ObligationRow, shown: Shown) -> Refused | None:
    """Return why this packet cannot be signed for any more."""
    if owed.state not in OWED:
        return Refused(RefusalCode.USED, f"review {owed.id} is {owed.state}")
    row = packet_row(conn, owed.id)
    if row is None or (row.log_seq, row.digest) != (shown.seq, shown.packet.digest):
        return Refused(RefusalCode.OTHER_MATTER, f"review {owed.id} was printed again: read the new packet")
    return None


def _incomplete(packet: Packet, closure: Closure, said: Verified) -> Refused | None:
    if lacks := lacking(packet, closure):
        return Refused(RefusalCode.OTHER_MATTER, f"the review lacks {'; '.join(lacks)}")
    return about(said, matter_to_close(packet, closure))


def _may_not(conn: Connection, owed: ObligationRow, said: Verified, roster: Roster) -> Refused | None:
    quorum, owners = roster.policy.reviews.close, suspension_rows.owners(conn, owed.deployment)
    if said.person in {roster.person_of(name) for name in owners}:
        return Refused(RefusalCode.NOT_PERMITTED, "the agent's owner does not close its reviews")
    roles = {*quorum.roles, *([quorum.acknowledged_by] if quorum.acknowledged_by else [])}
    if not roster.roles_of(said.person) & roles:
        names = ", ".join(sorted(role.value for role in roles))
        return Refused(RefusalCode.NOT_PERMITTED, f"closing a review takes one of the roles {names}")
    return None


def _stale(tx: Tx, owed: ObligationRow, packet: Packet, closure: Closure, roster: Roster) -> Refused | None:
    """Return why grants cannot be renewed as long as the packet said: a review has become due earlier."""
    if not closure.renews or packet.renews_until is None:
        return None
    until = renews_until(tx.conn, owed, rules=roster.policy.reviews, now=tx.now)
    if until is None or until < packet.renews_until:
        detail = f"review {owed.id}: another review is due earlier than when it was printed; print it again"
        return Refused(RefusalCode.OTHER_MATTER, detail)
    return None


def _mark(tx: Tx, owed: ObligationRow, packet: Packet, closure: Closure, words: Sequence[Verified]) -> None:
    tx.conn.execute(
        update(ObligationRow)
        .where(_OBLIGATION.c.id == owed.id)
        .values(state=ObligationState.CLOSED.value, closed_at=tx.now)
    )
    tx.append(_event(tx, owed, packet, closure, words))


def _escalated(tx: Tx, owed: ObligationRow, closure: Closure) -> tuple[str, ...]:
    """Make an incident of what nobody can explain, and suspend writes until a leader has spoken (R-54)."""
    if not closure.unexplained:
        return ()
    incident = open_incident(
        tx,
        IncidentCause.UNEXPLAINED,
        agent=owed.agent,
        deployment=owed.deployment,
        alert=None,
        now=tx.now,
        actor="rollout",
    )
    suspend(
        tx,
        owed.deployment,
        effect=None,
        code=SuspensionCode.UNEXPLAINED,
        subject=incident,
        reason=f"review {owed.id} left {', '.join(closure.unexplained)} unexplained",
        now=tx.now,
    )
    return (incident,)


def _event(tx: Tx, owed: ObligationRow, packet: Packet, closure: Closure, words: Sequence[Verified]) -> Event:
    return Event(
        kind=EventKind.REVIEW_CLOSED,
        at=tx.now,
        actor=words[-1].person,
        agent=owed.agent,
        deployment=owed.deployment,
        subject=owed.id,
        data={
            "kind": owed.kind,
            "packet": packet.digest,
            "renews": list(closure.renews),
            "statements": [said.id for said in words],
            "unexplained": list(closure.unexplained),
        },
    )
