"""Suspensions: writes taken away for a while, though their grants stand. Read at every action.

- A suspension is believed without proof: a row that the record does not know suspends all the same.
- What was recorded counts as it was recorded: if the row was changed, or is gone, every write is suspended.
- An end needs proof: signed words alone end one (`runtime.suspension_rules`), and no row says that they did.

Reading is never suspended: it is what people look at afterwards.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from profiles.effects import Effect
from runtime import suspension_rows
from runtime.moments import utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, verify
from runtime.people.statement import SignedStatement, StatementType
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.suspension_rules import Suspension, SuspensionCode, is_over, may_resume
from runtime.tables.people import StatementRow
from runtime.tables.suspensions import SuspensionRow

_ROW = SuspensionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


@dataclass(frozen=True, slots=True)
class Resumed:
    """The suspension ended by this person's word."""

    id: str
    deployment: str
    person: str


def suspend(
    tx: Tx,
    deployment: str,
    *,
    effect: Effect | None,
    code: SuspensionCode,
    subject: str,
    reason: str,
    now: datetime,
) -> str | None:
    """Take writes away, unless they already are for the very same cause; it needs no signature.

    A cause that lasts suspends again at the next look, also after a RESUME.

    Args:
        tx: the unit that found the cause.
        deployment: whose writes; `EVERYTHING` for those of all deployments.
        effect: the one class; None for every class but `read`.
        code: why.
        subject: id of the cause: a suggestion, an obligation, an alert, an incident; one for each cause.
        reason: why, for people. It stands readable in the record: no agent's words, nothing sensitive.
        now: the present moment.

    Returns:
        the new suspension's id; None if the same one stands.
    """
    cause = (deployment, None if effect is None else effect.value, code.value, subject)
    if _stands(tx.conn, cause):
        return None
    id_ = _id_of(cause, now)
    row = dict(zip(("deployment", "effect", "code", "subject"), cause, strict=True))
    tx.conn.execute(insert(SuspensionRow).values(id=id_, **row, reason=reason, set_at=now))
    tx.append(
        Event(
            kind=EventKind.WRITES_SUSPENDED,
            at=tx.now,
            actor="handrail",
            deployment=deployment,
            subject=id_,
            data={
                "effect": cause[1],
                "code": code.value,
                "subject": subject,
                "reason": reason,
                "set_at": utc_text(now),
            },
        )
    )
    return id_


def resume(tx: Tx, signed: SignedStatement, *, roster: Roster, now: datetime) -> Resumed | Refused:
    """End the suspension that the statement names, on the word of a rollout manager or of security."""
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    deployment = suspension_rows.deployment_of(tx.conn, said.statement.subject)
    if deployment is None:
        return Refused(RefusalCode.OTHER_MATTER, f"there is no suspension `{said.statement.subject}`")
    if refused := _may_not(tx.conn, said, deployment, roster=roster) or consume(tx, said):
        return refused
    tx.append(
        Event(
            kind=EventKind.WRITES_RESUMED,
            at=tx.now,
            actor=said.person,
            deployment=deployment,
            subject=said.statement.subject,
            data={"statement": said.id},
        )
    )
    return Resumed(said.statement.subject, deployment, said.person)


def standing(conn: Connection, deployment: str, *, now: datetime, roster: Roster) -> tuple[Suspension, ...]:
    """Return the suspensions that nobody ended, oldest first.

    Args:
        conn: a fresh view of the database.
        deployment: the deployment's digest.
        now: the present moment; no suspension ends by time.
        roster: who counts now.
    """
    del now
    there = suspension_rows.found(conn, deployment)
    if not there:
        return ()
    words = suspension_rows.words(conn, deployment)
    owners = {whose: suspension_rows.owners(conn, whose) for whose in {one.deployment for one in there}}
    return tuple(
        one
        for one in there
        if not is_over(
            one, tuple(w for w in words if w[0] in {one.id, one.subject}), owners[one.deployment], roster
        )
    )


def everywhere(conn: Connection, *, now: datetime, roster: Roster) -> tuple[Suspension, ...]:
    """Return every suspension that nobody ended, of all deployments, oldest first."""
    found = {
        one
        for deployment in suspension_rows.deployments(conn)
        for one in standing(conn, deployment, now=now, roster=roster)
    }
    return tuple(sorted(found, key=lambda one: (one.set_at, one.id)))


def suspended(conn: Connection, deployment: str, *, now: datetime, roster: Roster) -> frozenset[Effect]:
    """Return the classes that a deployment may not carry out now, whatever it is granted."""
    there = standing(conn, deployment, now=now, roster=roster)
    return frozenset[Effect]().union(*(one.effects for one in there))


def _may_not(conn: Connection, said: Verified, deployment: str, *, roster: Roster) -> Refused | None:
    there = suspension_rows.found(conn, deployment)
    named = next((one for one in there if one.id == said.statement.subject), None)
    if named is None:
        return Refused(RefusalCode.OTHER_MATTER, f"there is no suspension `{said.statement.subject}`")
    owners = {roster.person_of(name) for name in suspension_rows.owners(conn, deployment)}
    return may_resume(said, named.code, owners, roster)


def _stands(conn: Connection, cause: tuple[str, str | None, str, str]) -> bool:
    """Whether the same cause suspends already and nobody resumed it."""
    deployment, effect, code, subject = cause
    resumed = select(_SAID.c.subject).where(_SAID.c.type == StatementType.RESUME.value)
    query = select(_ROW.c.id).where(
        _ROW.c.deployment == deployment,
        _ROW.c.effect.is_(None) if effect is None else _ROW.c.effect == effect,
        _ROW.c.code == code,
        _ROW.c.subject == subject,
        _ROW.c.id.not_in(resumed.where(_SAID.c.subject == _ROW.c.id)),
    )
    return conn.execute(query.limit(1)).first() is not None


def _id_of(cause: tuple[str, str | None, str, str], now: datetime) -> str:
    """Return an id that only this cause at this moment has."""
    text = "\n".join([part or "" for part in cause] + [utc_text(now)])
    return f"susp-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
