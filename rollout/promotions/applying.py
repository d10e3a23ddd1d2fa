"""Applying a request: everything is looked at afresh, in the one transaction that issues the grant (F10).

What was true when people signed must still be true: the deployment, its profile, the policy, and every
verdict that was known then. What has become known since may only stop it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from profiles.effects import Effect
from profiles.risk import Risk
from rollout.evidence.model import Evidence
from rollout.gates.evaluate import evaluate, opens
from rollout.gates.inputs import Approvals, Exceptions
from rollout.gates.model import GateResult
from rollout.promotions import rows, steps
from rollout.promotions.asking import SINGLE_USER
from rollout.promotions.assessor import Assessor
from rollout.promotions.frozen import Frozen
from rollout.promotions.overtaken import overtaken
from rollout.promotions.rows import Request
from rollout.promotions.states import PromotionState
from rollout.promotions.words import approvals, exceptions
from runtime.grants import Issued, issue_voted
from runtime.people.roster import Refused, Roster, Verified, recheck
from runtime.people.statement import SignedStatement
from runtime.people.statements import statements_on
from runtime.record.batch import Tx


@dataclass(frozen=True, slots=True)
class Standing:
    """How an open request stands now.

    Attributes:
        frozen: the request.
        gates: what each gate says now.
        approvals: whose yes counts now.
        exceptions: which gates are excepted, by whom.
        obstacles: what else stands in the way, one line each.
    """

    frozen: Frozen
    gates: tuple[GateResult, ...]
    approvals: Approvals
    exceptions: Exceptions
    obstacles: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether every gate passes and nothing else stands in the way."""
        return opens(self.gates) and not self.obstacles and not self.approvals.missing


@dataclass(frozen=True, slots=True)
class Over:
    """The request is over, or ends here: how, and why."""

    frozen: Frozen
    state: PromotionState
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The grant stands."""

    frozen: Frozen
    signers: tuple[str, ...]
    gates: tuple[GateResult, ...]


def examine(
    conn: Connection,
    request: Request,
    *,
    assessor: Assessor,
    roster: Roster,
    single_user: bool,
    now: datetime,
) -> Standing | Over:
    """Look at a request afresh: whether it still is what was signed for, and what each gate says now."""
    frozen = request.frozen
    if not request.open:
        return Over(frozen, request.state, request.end_reason or "the record says so")
    if now >= frozen.expires_at:
        return Over(frozen, PromotionState.EXPIRED, "its time is over")
    if reason := overtaken(conn, frozen, roster):
        return Over(frozen, PromotionState.STALE, reason)
    evidence = assessor.collect(conn, frozen.deployment, frozen.effect, now=now)
    if reason := _changed(conn, frozen, evidence, assessor):
        return Over(frozen, PromotionState.STALE, reason)
    return _stand(conn, frozen, evidence, roster, single_user=single_user)


def apply(
    tx: Tx, promotion: str, *, assessor: Assessor, roster: Roster, single_user: bool, actor: str
) -> Applied | Standing | Over:
    """Issue the grant of a request if everything is as it must be, in this very unit.

    Args:
        tx: the unit.
        promotion: the request's id.
        assessor: looks at the evidence.
        roster: who counts now.
        single_user: whether one user runs everything here.
        actor: who asks for it; it decides nothing.

    Returns:
        Applied; how it stands, if something is missing; or that it is over, which the unit then records.

    Raises:
        PromotionError: there is no such request, or it is not what was recorded.
    """
    request = rows.find(tx.conn, promotion)
    found = examine(tx.conn, request, assessor=assessor, roster=roster, single_user=single_user, now=tx.now)
    if isinstance(found, Over):
        if request.open:
            steps.end(tx, request.frozen, found.state, reason=found.reason, actor=actor)
        return found
    return _issue(tx, found, roster, actor) if found.ready else found


def _changed(conn: Connection, frozen: Frozen, evidence: Evidence, assessor: Assessor) -> str | None:
    """Return what is not as it was when people signed; None if everything is (F8)."""
    if evidence.policy != frozen.policy:
        return "the policy has changed"
    if (evidence.deployment, evidence.profile) != (frozen.deployment, frozen.profile):
        return "the profile has changed"
    known = assessor.sample(conn, frozen.deployment, frozen.effect, since=frozen.since, before=frozen.entries)
    return None if known.digest == frozen.sample else "the evidence that was signed for has changed"


def _stand(
    conn: Connection,
    frozen: Frozen,
    evidence: Evidence,
    roster: Roster,
    *,
    single_user: bool,
) -> Standing:
    now = evidence.at
    yes = approvals(
        frozen,
        statements_on(conn, frozen.grant),
        reviewers=evidence.sample.reviewers,
        roster=roster,
        now=now,
    )
    excepted = exceptions(
        frozen,
        statements_on(conn, frozen.promotion),
        critical=evidence.risk is Risk.CRITICAL,
        roster=roster,
        now=now,
    )
    gates = evaluate(evidence, approvals=yes, exceptions=excepted, now=now)
    too_high = single_user and frozen.effect.tier > Effect.DRAFT.tier
    return Standing(frozen, gates, yes, excepted, (SINGLE_USER,) if too_high else ())


def _issue(tx: Tx, found: Standing, roster: Roster, actor: str) -> Applied | Standing:
    """Issue the grant; the kernel counts the same words once more, and has the last word."""
    frozen = found.frozen
    words = _words_of(tx.conn, frozen, found.approvals.persons, roster)
    issued = issue_voted(tx, frozen.order, words, roster=roster, now=tx.now)
    if not isinstance(issued, Issued):
        return Standing(frozen, found.gates, found.approvals, found.exceptions, (issued.detail,))
    excepted = ", ".join(f"{gate} by {' and '.join(who)}" for gate, who in found.exceptions.items())
    reason = f"every gate passes; excepted: {excepted or 'nothing'}"
    steps.end(tx, frozen, PromotionState.APPLIED, reason=reason, actor=actor)
    return Applied(frozen, issued.signers, found.gates)


def _words_of(
    conn: Connection, frozen: Frozen, persons: tuple[str, ...], roster: Roster
) -> list[SignedStatement]:
    heard: list[Verified | Refused] = [recheck(one, roster) for one in statements_on(conn, frozen.grant)]
    return [said.signed for said in heard if isinstance(said, Verified) and said.person in persons]
