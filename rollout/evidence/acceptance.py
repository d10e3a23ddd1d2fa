"""A manager accepts, in signed words, what a gate cannot measure: drift, where there is nothing to compare.

It is about one deployment and lasts `LASTING`; then somebody has to look again.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select

from profiles.policy import Role
from rollout.gates.model import GateId
from runtime.alerts.queries import agent_of, owners_of
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck, verify
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.people import StatementRow

LASTING: Final = timedelta(days=30)
ACCEPTABLE: Final = frozenset({GateId.G7})
"""The gates that a person's text can pass; every other one is measured."""
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def matter_to_accept(deployment: str, gate: GateId, reason: str) -> Matter:
    """Return what is signed to accept a gate for one deployment."""
    return Matter(StatementType.ACCEPTANCE, deployment, deployment, {"gate": gate.value, "reason": reason})


def accept(tx: Tx, signed: SignedStatement, deployment: str, *, roster: Roster) -> str | Refused:
    """Take a signed acceptance and use it up; return who gave it."""
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    owners = _owners(tx.conn, deployment, roster)
    if refused := _no_acceptance(said, deployment, owners, roster) or consume(tx, said):
        return refused
    tx.append(
        Event(
            kind=EventKind.GATE_ACCEPTED,
            at=tx.now,
            actor=said.person,
            agent=agent_of(tx.conn, deployment),
            deployment=deployment,
            subject=deployment,
            data={"gate": str(said.statement.body["gate"]), "statement": said.id},
            payload={"reason": str(said.statement.body["reason"])},
        )
    )
    return said.person


def accepted_by(conn: Connection, deployment: str, *, roster: Roster, now: datetime) -> str | None:
    """Return who accepts G7 for a deployment now; None: nobody who counts, or too long ago."""
    query = select(_SAID.c.body, _SAID.c.signature).where(
        _SAID.c.subject == deployment, _SAID.c.type == StatementType.ACCEPTANCE.value
    )
    owners = _owners(conn, deployment, roster)
    words = [recheck(SignedStatement(row.body, row.signature), roster) for row in conn.execute(query)]
    standing = [
        said
        for said in words
        if isinstance(said, Verified)
        and _no_acceptance(said, deployment, owners, roster) is None
        and now - said.statement.at < LASTING
    ]
    return max(standing, key=lambda said: said.statement.at).person if standing else None


def _no_acceptance(said: Verified, deployment: str, owners: frozenset[str], roster: Roster) -> Refused | None:
    gate, reason = said.statement.body.get("gate"), said.statement.body.get("reason")
    if gate not in {one.value for one in ACCEPTABLE}:
        return Refused(RefusalCode.OTHER_MATTER, f"gate {gate!r} is measured: only G7 can be accepted")
    if not isinstance(reason, str) or not reason.strip():
        return Refused(RefusalCode.OTHER_MATTER, "an acceptance needs a reason")
    if refused := about(said, matter_to_accept(deployment, GateId(str(gate)), reason)):
        return refused
    if Role.ROLLOUT_MANAGER not in roster.roles_of(said.person):
        return Refused(RefusalCode.NOT_PERMITTED, f"accepting takes the role {Role.ROLLOUT_MANAGER}")
    if said.person in owners:
        return Refused(RefusalCode.NOT_PERMITTED, f"`{said.person}` owns the agent, so cannot accept for it")
    return None


def _owners(conn: Connection, deployment: str, roster: Roster) -> frozenset[str]:
    owners = owners_of(conn, agent_of(conn, deployment), deployment)
    return frozenset(roster.person_of(name) for name in owners)
