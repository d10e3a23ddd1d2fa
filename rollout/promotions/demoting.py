"""Demotion by a person: it asks nobody else, ends every open request, and holds from the next action on."""

from dataclasses import dataclass
from typing import Final

from profiles.effects import Tier
from profiles.policy import Role
from rollout.promotions.ending import void_open
from rollout.promotions.matters import matter_to_demote, reason_of, text_of
from runtime import deployments
from runtime.demotion import DemotionCause, drop
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx

DEMOTERS: Final = frozenset({Role.OPERATOR, Role.ROLLOUT_MANAGER, Role.SECURITY, Role.REVIEWER})


@dataclass(frozen=True, slots=True)
class Demoted:
    """What a person took away.

    Attributes:
        agent: whose deployment it is.
        deployment: its digest.
        to: the tier that is left.
        person: who took it.
        revoked: ids of the grants that ended; none if there was nothing above the tier.
        voided: ids of the requests that ended with them.
    """

    agent: str
    deployment: str
    to: Tier
    person: str
    revoked: tuple[str, ...]
    voided: tuple[str, ...]


def demote(tx: Tx, signed: SignedStatement, *, roster: Roster) -> Demoted | Refused:
    """Take the deployment that a statement names (`matter_to_demote`) down to the tier that it names."""
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    to = _tier(said)
    if to is None:
        return Refused(RefusalCode.MALFORMED, f"its tier is {said.statement.body.get('to')!r}")
    if refused := _may_not(said, to, roster) or _elsewhere(tx, said) or consume(tx, said):
        return refused
    deployment = said.statement.subject
    revoked = drop(tx, deployment, to, DemotionCause.PERSON, actor=said.person, now=tx.now)
    voided = void_open(tx, deployment, reason=f"{said.person} demoted the deployment", actor=said.person)
    return Demoted(text_of(said, "agent"), deployment, to, said.person, revoked, voided)


def _tier(said: Verified) -> Tier | None:
    found = said.statement.body.get("to")
    known = {int(tier): tier for tier in Tier if tier is not Tier.CRITICAL}
    return known.get(found) if type(found) is int else None


def _may_not(said: Verified, to: Tier, roster: Roster) -> Refused | None:
    matter = matter_to_demote(text_of(said, "agent"), said.statement.subject, to, reason=reason_of(said))
    if refused := about(said, matter):
        return refused
    if not roster.roles_of(said.person) & DEMOTERS:
        roles = ", ".join(sorted(DEMOTERS))
        return Refused(RefusalCode.NOT_PERMITTED, f"demoting takes one of the roles {roles}")
    return None


def _elsewhere(tx: Tx, said: Verified) -> Refused | None:
    agent, deployment = text_of(said, "agent"), said.statement.subject
    if all(one.digest != deployment for one in deployments.history(tx.conn, agent)):
        detail = f"agent {agent} has no deployment {deployment[:12]}"
        return Refused(RefusalCode.OTHER_MATTER, detail)
    return None
