"""What can be recorded. The set is closed: a kind that is not here cannot be written, nor read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runtime.canonical import JsonValue


class EventKind(StrEnum):
    """Every kind of entry. New kinds are added here; a kind, once written, keeps its name for ever."""

    # The record about itself; written by runtime.record only.
    LOG_OPENED = "log.opened"
    KEY_CREATED = "key.created"
    CLOCK_ANOMALY = "clock.anomaly"
    ANCHOR_LOST = "anchor.lost"
    PAYLOAD_PURGED = "payload.purged"

    # People and rules.
    PERSON_ADDED = "person.added"
    PERSON_REVOKED = "person.revoked"
    POLICY_PROPOSED = "policy.proposed"
    POLICY_CHANGED = "policy.changed"
    STATEMENT_MADE = "statement.made"
    FREEZE_SET = "freeze.set"
    FREEZE_LIFTED = "freeze.lifted"

    # Agents and power.
    AGENT_REGISTERED = "agent.registered"
    DEPLOYMENT_CREATED = "deployment.created"
    DEPLOYMENT_SUSPENDED = "deployment.suspended"
    GRANT_ISSUED = "grant.issued"
    GRANT_REVOKED = "grant.revoked"
    GRANT_RENEWED = "grant.renewed"
    WRITES_SUSPENDED = "writes.suspended"
    WRITES_RESUMED = "writes.resumed"
    DEPLOYMENT_OUTDATED = "deployment.outdated"
    DEPLOYMENT_RESTORED = "deployment.restored"
    MODEL_PINNED = "model.pinned"  # what the provider called its model at the first reply
    MODEL_CHANGED = "model.changed"  # another one answered: a transition
    LEASE_ISSUED = "lease.issued"
    LEASE_REVOKED = "lease.revoked"

    # Runs.
    RUN_REQUESTED = "run.requested"
    RUN_ATTESTED = "run.attested"
    RUN_RELEASED = "run.released"
    RUN_STOP_ASKED = "run.stop_asked"  # of the node that runs it, by another one
    RUN_ENDED = "run.ended"
    CHANNEL_REFUSED = "channel.refused"
    VOLUME_UNLIMITED = "volume.unlimited"  # an upstream may write to a directory of the host without a limit
    SESSION_NOTED = "session.noted"  # initialize, ping and lists: logged, not actions
    CONTEXT_SHOWN = "context.shown"  # what entered the agent's context and is no outcome of an action

    # Actions. `subject` is the action's id in all of them.
    ACTION_DECISION = "action.decision"  # deny, suggest, hold: nothing is carried out
    ACTION_INTENT = "action.intent"  # committed before any effect
    ACTION_OUTCOME = "action.outcome"  # data["status"]: done, failed or unknown
    ACTION_RECONCILED = "action.reconciled"  # a person or a connector found out what an unknown outcome was

    # What people say about actions.
    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_GIVEN = "approval.given"
    APPROVAL_REJECTED = "approval.rejected"
    APPROVAL_ENDED = "approval.ended"  # expired, voided or used
    SUGGESTION_MADE = "suggestion.made"
    SUGGESTION_JUDGED = "suggestion.judged"
    EXPECTATION_STATED = "expectation.stated"
    EXECUTED_JUDGED = "executed.judged"

    # The rollout: evidence, promotions and reviews.
    ITEMS_DRAWN = "items.drawn"
    ASSESSMENT_RECORDED = "assessment.recorded"
    GATE_ACCEPTED = "gate.accepted"
    PROMOTION_REQUESTED = "promotion.requested"
    PROMOTION_VOTED = "promotion.voted"
    PROMOTION_EXCEPTED = "promotion.excepted"
    PROMOTION_APPLIED = "promotion.applied"
    PROMOTION_ENDED = "promotion.ended"  # rejected, expired, stale or withdrawn
    DEPLOYMENT_DEMOTED = "deployment.demoted"
    REVIEW_OWED = "review.owed"
    REVIEW_PRINTED = "review.printed"
    REVIEW_MOVED = "review.moved"  # its period is over, or its deployment was replaced
    REVIEW_CLOSED = "review.closed"

    # Memory and the proof of context isolation.
    MEMORY_WRITTEN = "memory.written"
    MEMORY_DRAFTED = "memory.drafted"  # a run's draft was closed as a version
    MEMORY_ADOPTED = "memory.adopted"
    MEMORY_QUARANTINED = "memory.quarantined"
    CONTEXT_PROVEN = "context.proven"  # boxes of different status were compared; data["ok"]

    # Deviations and the control plane.
    ALERT_RAISED = "alert.raised"
    ALERT_REPEATED = "alert.repeated"  # the same deviation again, counted on the alert that is open
    ALERT_CLOSED = "alert.closed"
    ALERT_OVERDUE = "alert.overdue"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_REMINDED = "incident.reminded"  # leadership, of one that nobody has acknowledged
    INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
    BASELINE_FROZEN = "baseline.frozen"
    LEADER_CHANGED = "leader.changed"
    NOTICE_SENT = "notice.sent"
    CAUSES_READ = "causes.read"  # how far the clock has looked for causes of a fall; data["next"]
    MONITOR_OBSERVED = "monitor.observed"  # `subject` is when the span of heartbeats began
    SERVE_STARTED = "serve.started"
    SERVE_STOPPED = "serve.stopped"


CHECKPOINT_KINDS = frozenset(
    {
        EventKind.LOG_OPENED,
        EventKind.PAYLOAD_PURGED,
        EventKind.PERSON_ADDED,
        EventKind.PERSON_REVOKED,
        EventKind.POLICY_CHANGED,
        EventKind.FREEZE_SET,
        EventKind.FREEZE_LIFTED,
        EventKind.DEPLOYMENT_CREATED,
        EventKind.DEPLOYMENT_SUSPENDED,
        EventKind.GRANT_ISSUED,
        EventKind.GRANT_REVOKED,
        EventKind.GRANT_RENEWED,
        EventKind.WRITES_SUSPENDED,
        EventKind.WRITES_RESUMED,
        EventKind.PROMOTION_REQUESTED,
        EventKind.PROMOTION_VOTED,
        EventKind.PROMOTION_APPLIED,
        EventKind.MEMORY_ADOPTED,
        EventKind.MEMORY_QUARANTINED,
        EventKind.DEPLOYMENT_DEMOTED,
        EventKind.REVIEW_CLOSED,
        EventKind.INCIDENT_ACKNOWLEDGED,
        EventKind.APPROVAL_GIVEN,
        EventKind.APPROVAL_REJECTED,
        EventKind.SERVE_STOPPED,
    }
)
"""Kinds that are anchored before their writer hears that they are committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, as its reporter tells it.

    Attributes:
        kind: what happened.
        at: when, aware UTC. The log never goes backwards: a moment before the last entry's becomes that one.
        actor: who did it: a person's name, `agent`, or a part of Handrail.
        agent: the agent's name.
        deployment: the deployment's digest.
        run: the run's id.
        subject: the id of what it is about: an action, an approval, a person.
        data: small and not sensitive; it stands in the leaf for ever, readable.
        payload: agent text, arguments, results. It is encrypted and can be purged; the leaf holds a salted
            commitment to it.
    """

    kind: EventKind
    at: datetime
    actor: str | None = None
    agent: str | None = None
    deployment: str | None = None
    run: str | None = None
    subject: str | None = None
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    payload: Mapping[str, JsonValue] | None = None
