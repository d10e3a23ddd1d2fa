"""Asking for one more effect class: the evidence of this moment is frozen, and nothing is granted."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from profiles.effects import Effect
from profiles.policy import Role
from rollout.evidence.model import Evidence
from rollout.gates.evaluate import evaluate
from rollout.gates.inputs import Approvals
from rollout.gates.model import GateResult
from rollout.promotions import rows, steps
from rollout.promotions.assessor import Assessor
from rollout.promotions.frozen import Frozen, freeze
from rollout.promotions.matters import matter_to_ask, reason_of, text_of
from runtime import deployments
from runtime.clock import NewId
from runtime.deployments import DeploymentError
from runtime.grant_rules import MAXIMUM_LIFE, quorum_for
from runtime.people.quorum import Short, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx

REQUEST_LIFE: Final = timedelta(days=7)
"""How long a request collects approvals; each of them counts for the policy's `promotion_hours` only."""
ASKERS: Final = frozenset({Role.OPERATOR, Role.ROLLOUT_MANAGER})
SINGLE_USER: Final = "one user runs everything here: nothing above tier 1 can be promoted"
_ID = re.compile(r"prom-[a-z2-7]{16}")


@dataclass(frozen=True, slots=True)
class Look:
    """What a request made now would freeze.

    Attributes:
        evidence: everything that the review gates look at.
        gates: what each says; without approvals yet.
        obstacle: why it cannot be asked for at all; None if it can.
    """

    evidence: Evidence
    gates: tuple[GateResult, ...]
    obstacle: str | None


def look(
    conn: Connection,
    deployment: str,
    effect: Effect,
    *,
    assessor: Assessor,
    roster: Roster,
    single_user: bool,
    now: datetime,
) -> Look:
    """Look at what a request would freeze, without asking."""
    evidence = assessor.collect(conn, deployment, effect, now=now)
    gates = evaluate(evidence, approvals=_nobody_yet(roster, effect), now=now)
    return Look(evidence, gates, _obstacle(evidence, roster, single_user=single_user, now=now))


def ask(
    tx: Tx,
    signed: SignedStatement,
    *,
    assessor: Assessor,
    roster: Roster,
    new_id: NewId,
    single_user: bool = False,
) -> Frozen | Refused:
    """Make the request that a statement asks for (`matter_to_ask`), and freeze its evidence.

    Args:
        tx: the unit.
        signed: the word of an operator or a rollout manager.
        assessor: looks at the evidence.
        roster: who counts now.
        new_id: makes the id of the grant that would be issued.
        single_user: whether one user runs everything here.
    """
    said = _heard(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    effect = Effect(text_of(said, "effect"))
    if refused := _cannot_ask(tx.conn, said, effect):
        return refused
    seen = look(
        tx.conn,
        said.statement.digest,
        effect,
        assessor=assessor,
        roster=roster,
        single_user=single_user,
        now=tx.now,
    )
    if seen.obstacle is not None:
        return Refused(RefusalCode.NOT_PERMITTED, seen.obstacle)
    if refused := consume(tx, said):
        return refused
    return _freeze(tx, said, seen, roster, new_id)


def grant_end(evidence: Evidence, roster: Roster, *, now: datetime) -> datetime:
    """Return when a grant would end: some hours after the next review was due, at most 35 days from now."""
    due = evidence.reviews.next_due
    if due is None:
        return now
    return min(due + timedelta(hours=roster.policy.reviews.grace_hours), now + MAXIMUM_LIFE)


def _heard(signed: SignedStatement, roster: Roster, *, now: datetime) -> Verified | Refused:
    """Return the word if it asks for something, by someone who may ask."""
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    promotion, effect = said.statement.subject, text_of(said, "effect")
    if not _ID.fullmatch(promotion) or effect not in set(Effect):
        return Refused(RefusalCode.MALFORMED, f"it asks for effect {effect!r} under the id {promotion!r}")
    matter = matter_to_ask(
        promotion,
        agent=text_of(said, "agent"),
        deployment=text_of(said, "deployment"),
        effect=Effect(effect),
        reason=reason_of(said),
    )
    if refused := about(said, matter):
        return refused
    if not roster.roles_of(said.person) & ASKERS:
        return Refused(
            RefusalCode.NOT_PERMITTED, f"asking takes one of the roles {', '.join(sorted(ASKERS))}"
        )
    return said


def _cannot_ask(conn: Connection, said: Verified, effect: Effect) -> Refused | None:
    """Return why this cannot be asked for, before anything is looked at."""
    agent, deployment = text_of(said, "agent"), said.statement.digest
    if effect is Effect.READ:
        return Refused(RefusalCode.NOT_PERMITTED, "`deploy create` grants reading: it takes no promotion")
    try:
        present = deployments.newest(conn, agent).digest
    except DeploymentError as error:
        return Refused(RefusalCode.OTHER_MATTER, str(error))
    if present != deployment:
        return Refused(
            RefusalCode.OTHER_MATTER, f"the deployment of {agent} is {present[:12]}, not {deployment[:12]}"
        )
    if rows.is_known(conn, said.statement.subject):
        return Refused(RefusalCode.USED, f"{said.statement.subject} was made before: ask under a new id")
    if known := rows.open_for(conn, deployment, effect):
        return Refused(RefusalCode.USED, f"request {known} for {effect} is open: apply or withdraw it")
    return None


def _nobody_yet(roster: Roster, effect: Effect) -> Approvals:
    """Return what approvals a request would wait for."""
    quorum = quorum_for(roster.policy, effect)
    short = None if quorum is None else check_quorum(quorum, (), roster)
    return Approvals(missing=short.missing) if isinstance(short, Short) else Approvals()


def _obstacle(evidence: Evidence, roster: Roster, *, single_user: bool, now: datetime) -> str | None:
    effect = evidence.effect
    if effect not in evidence.power.used:
        return f"the profile of {evidence.agent} has nothing of the class {effect}"
    if effect in evidence.power.granted:
        return f"{effect} is granted to {evidence.agent} already; closing its reviews renews it"
    if single_user and effect.tier > Effect.DRAFT.tier:
        return SINGLE_USER
    if grant_end(evidence, roster, now=now) <= now:
        return "no review of this deployment is still to come: a grant would have no end to be renewed at"
    return None


def _freeze(tx: Tx, said: Verified, seen: Look, roster: Roster, new_id: NewId) -> Frozen:
    valid_until = grant_end(seen.evidence, roster, now=tx.now)
    frozen = freeze(
        seen.evidence,
        seen.gates,
        promotion=said.statement.subject,
        grant=new_id("grant"),
        requester=said.person,
        reason=reason_of(said),
        valid_until=valid_until,
        expires_at=min(tx.now + REQUEST_LIFE, valid_until),
        entries=tx.committed,
    )
    steps.write(tx, frozen, statement=said.id)
    return frozen
