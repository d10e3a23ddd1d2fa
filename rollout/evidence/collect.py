"""Collecting evidence: everything that the review gates look at, from one consistent view of the database.

Rows only say where to look: verdicts, assessments, dispositions and acceptances count as they were signed,
time as the record knows it. Whoever applies a promotion collects afresh, in that very transaction (F10).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from profiles.effects import Effect
from profiles.policy import Policy
from rollout.activity import intents
from rollout.evidence.acceptance import accepted_by
from rollout.evidence.assessments import assessment_of
from rollout.evidence.model import (
    AlertState,
    Assessment,
    AuditState,
    Drift,
    Dwell,
    Evidence,
    Power,
    Sample,
)
from rollout.evidence.parity import parity_of
from rollout.evidence.samples import collect_sample
from rollout.evidence.tenure import Tenure, fell_at, tenure
from rollout.evidence.thresholds import Required, policies_since, strictest
from rollout.monitor import last_heartbeat, observed
from rollout.reviews.obligations import review_state
from rollout.reviews.terms import terms_of
from runtime import agents, deployments, suspensions
from runtime.agents import Agent
from runtime.alerts.queries import open_alerts, overdue_alerts, unacknowledged
from runtime.deployments import Deployment
from runtime.freeze import frozen
from runtime.grants import granted
from runtime.people.chain import PolicyState
from runtime.people.roster import Roster
from runtime.suspension_rules import Suspension


@dataclass(frozen=True)
class _Case:
    """One deployment and one class at one moment, with what is read once."""

    conn: Connection
    deployment: Deployment
    effect: Effect
    agent: Agent
    state: PolicyState
    now: datetime
    tenure: Tenure
    required: Required

    @property
    def digest(self) -> str:
        return self.deployment.digest

    @property
    def roster(self) -> Roster:
        return self.state.roster


def collect(
    conn: Connection,
    deployment: str,
    effect: Effect,
    *,
    state: PolicyState,
    now: datetime,
    audit: AuditState,
    engine: str | None = None,
    code: str | None = None,
) -> Evidence:
    """Return everything that is known.

    Args:
        conn: one consistent view of the database; a unit's own, where a promotion is applied.
        deployment: the deployment's digest.
        effect: the class that a promotion would open.
        state: the policy in force, as `PolicyBook.current(conn)` returns it.
        now: the present moment, never before the record's high-water mark.
        audit: what is known of the record, as `rollout.auditing.AuditWatch` has it.
        engine: version of the engine here, which a proof of context isolation must be about; None where
            there is no engine.
        code: digest of the code and the rules that it must be about, too.

    Raises:
        rollout.errors.RolloutError: what the record knows of it cannot be read.
        runtime.errors.KernelError: there is no such deployment.
    """
    case = _open(conn, deployment, effect, state, now)
    terms = terms_of(conn, deployment, rules=state.head.policy.reviews)
    newest = deployments.newest(conn, case.agent.name)
    return Evidence(
        agent=case.agent.name,
        deployment=deployment,
        effect=effect,
        at=now,
        owner=case.roster.person_of(case.agent.owner),
        risk=case.agent.assessment(case.deployment.profile).risk,
        policy=state.head.digest,
        profile=case.deployment.parts.profile,
        newest=newest.digest == deployment,
        profile_since=terms.profile_since,
        counted_since=case.tenure.reset_at,
        threshold=case.required.threshold,
        distinct_days=case.required.distinct_days,
        approval_hours=case.required.approval_hours,
        harmful_below=sum(_sample(case, lower).harmful for lower in _below(effect)),
        sample=_sample(case, effect),
        dwell=_dwell(case),
        alerts=_alerts(case),
        reviews=review_state(conn, deployment, roster=case.roster, now=now),
        assessment=_assessment(case, engine, code),
        audit=audit,
        drift=_drift(case),
        power=_power(case),
    )


def _assessment(case: _Case, engine: str | None, code: str | None) -> Assessment:
    within = timedelta(days=case.state.head.policy.evidence.proof_days)
    parity = parity_of(case.conn, case.deployment, within=within, engine=engine, code=code, now=case.now)
    return replace(assessment_of(case.conn, case.deployment, roster=case.roster), parity=parity)


def _open(conn: Connection, digest: str, effect: Effect, state: PolicyState, now: datetime) -> _Case:
    deployment = deployments.find(conn, digest)
    began_at = terms_of(conn, digest, rules=state.head.policy.reviews).present_since
    moved = tenure(conn, digest, began_at=began_at, now=now)
    policies: Sequence[Policy] = policies_since(conn, state, moved.reset_at)
    agent = agents.as_registered(conn, deployment.parts.agent)
    return _Case(conn, deployment, effect, agent, state, now, moved, strictest(policies, effect))


def _below(effect: Effect) -> tuple[Effect, ...]:
    """Return the lower classes of writes: a harmful one there fails this class too."""
    return tuple(one for one in Effect if Effect.READ.tier < one.tier < effect.tier)


def _sample(case: _Case, effect: Effect) -> Sample:
    return collect_sample(
        case.conn, case.digest, effect, since=case.tenure.reset_at, roster=case.roster, now=case.now
    )


def _dwell(case: _Case) -> Dwell:
    moved, now = case.tenure, case.now
    window = observed(case.conn, case.digest, moved.since, now)
    whole = observed(case.conn, case.digest, case.deployment.created_at, now)
    expanded = moved.expanded_at
    fell = fell_at(case.conn, case.agent.name)
    cooled = None if fell is None else fell + _days(case.required.cool_down_days)
    return Dwell(
        since=moved.since,
        observed_seconds=window.seconds,
        total_observed_seconds=whole.seconds,
        active_days=window.active_days,
        last_heartbeat=last_heartbeat(case.conn, now=now),
        last_expansion=expanded,
        since_expansion_seconds=None
        if expanded is None
        else observed(case.conn, case.digest, expanded, now).seconds,
        cool_down_until=cooled,
    )


def _days(days: int) -> timedelta:
    return timedelta(days=days)


def _alerts(case: _Case) -> AlertState:
    conn, roster = case.conn, case.roster
    late = overdue_alerts(conn, case.digest, roster=roster, now=case.now)
    return AlertState(
        open_medium=tuple(one.id for one in open_alerts(conn, case.digest, roster=roster)),
        overdue=tuple(one.id for one in late),
        unacknowledged=tuple(one.id for one in unacknowledged(conn, case.agent.name, roster=roster)),
    )


def _drift(case: _Case) -> Drift:
    actions = intents(case.conn, case.digest, case.tenure.since, case.now)
    return Drift(actions, accepted_by(case.conn, case.digest, roster=case.roster, now=case.now))


def _power(case: _Case) -> Power:
    conn, digest, now, roster = case.conn, case.digest, case.now, case.roster
    held = granted(conn, digest, now=now, roster=roster)
    used = case.deployment.profile.effects
    stops = frozen(conn, agent=case.agent.name, deployment=digest, now=now, roster=roster)
    taken = suspensions.standing(conn, digest, now=now, roster=roster)
    return Power(
        granted=tuple(effect for effect in Effect if effect in held),
        used=tuple(effect for effect in Effect if effect in used),
        suspended=tuple(
            f"{one.code} ({one.subject}): {one.reason}" for one in taken if _reaches(one, case.effect)
        ),
        frozen=tuple(f"by {one.owner}: {one.reason}" for one in stops),
    )


def _reaches(suspension: Suspension, effect: Effect) -> bool:
    """Whether a suspension stands in the way of a class: what fails a class fails the higher ones too."""
    return suspension.effect is None or suspension.effect.tier <= effect.tier
