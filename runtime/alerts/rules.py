"""Which deviations raise an alert, how bad each is, and what counts as the same one again. Pure.

A hold or a suggestion is no alert: that is the normal life of an agent that has not climbed yet. A denial is
one where the reasons for it say that the agent went where it has no business.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runtime.gate.answers import Answer, ReasonCode
from runtime.gate.context import RunContext
from runtime.gate.decide import Decided

SYSTEM: Final = "handrail"
"""Stands where an agent's name does, in an alert about Handrail itself."""
UNKNOWN: Final = "unknown"
"""Stands where a tool's name does, for all that the profile does not name: an agent's words never do."""


class Severity(StrEnum):
    """How bad a deviation is, mildest first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Position in the order, 0 for low."""
        return tuple(Severity).index(self)


class AlertRule(StrEnum):
    """Every kind of deviation."""

    # Seen in one denied action, by the kernel.
    UNEXPECTED_TOOL = "unexpected-tool"
    OUT_OF_SCOPE = "out-of-scope"
    NEVER = "never"
    SELF_PRESERVATION = "self-preservation"
    CHANGED = "changed"  # what runs is not what was pinned
    RATE = "rate"  # over a limit of how many or how often
    GATE_FAULT = "gate-fault"  # a check or a rule failed, and denied
    # Found over time.
    FIRST_SEEN = "first-seen"  # a tool that the deployment's baseline does not know
    UNUSUAL = "unusual"  # far outside the deployment's own baseline
    UNWATCHED = "unwatched"  # no review is owed
    OUTDATED = "outdated"  # the rules of the business changed and the instructions did not
    HEARTBEAT = "heartbeat"
    CLOCK = "clock-anomaly"
    AUDIT = "audit"
    JOB_FAILED = "job-failed"
    # Said by people.
    CONTRADICTION = "contradiction"  # what the agent says contradicts what it does
    UNEXPLAINED = "unexplained"  # nobody can explain the decision


class AlertState(StrEnum):
    """Whether an alert still waits for people."""

    OPEN = "open"
    CLOSED = "closed"


class Disposition(StrEnum):
    """What people found an alert to be. `unexplained` closes it and opens an incident."""

    EXPLAINED = "explained"
    FIXED = "fixed"
    FALSE_ALARM = "false-alarm"
    UNEXPLAINED = "unexplained"


class IncidentCause(StrEnum):
    """Why a leader must know."""

    OUT_OF_SCOPE = "out-of-scope"  # R-51; a never-list or self-preservation attempt is one too
    PATTERN = "pattern"
    CONTRADICTION = "contradiction"
    UNEXPLAINED = "unexplained"
    OVERDUE = "overdue"  # an alert that nobody looked at in time
    ESCALATED = "escalated"  # a person said so


SEVERITIES: Final[Mapping[AlertRule, Severity]] = {
    AlertRule.UNEXPECTED_TOOL: Severity.HIGH,
    AlertRule.OUT_OF_SCOPE: Severity.HIGH,
    AlertRule.NEVER: Severity.CRITICAL,
    AlertRule.SELF_PRESERVATION: Severity.CRITICAL,
    AlertRule.CHANGED: Severity.HIGH,
    AlertRule.RATE: Severity.MEDIUM,
    AlertRule.GATE_FAULT: Severity.MEDIUM,
    AlertRule.FIRST_SEEN: Severity.LOW,
    AlertRule.UNUSUAL: Severity.MEDIUM,
    AlertRule.UNWATCHED: Severity.HIGH,
    AlertRule.OUTDATED: Severity.HIGH,
    AlertRule.HEARTBEAT: Severity.HIGH,
    AlertRule.CLOCK: Severity.HIGH,
    AlertRule.AUDIT: Severity.CRITICAL,
    AlertRule.JOB_FAILED: Severity.MEDIUM,
    AlertRule.CONTRADICTION: Severity.CRITICAL,
    AlertRule.UNEXPLAINED: Severity.HIGH,
}

AT_ONCE: Final[Mapping[AlertRule, IncidentCause]] = {
    AlertRule.UNEXPECTED_TOOL: IncidentCause.OUT_OF_SCOPE,
    AlertRule.OUT_OF_SCOPE: IncidentCause.OUT_OF_SCOPE,
    AlertRule.NEVER: IncidentCause.OUT_OF_SCOPE,
    AlertRule.SELF_PRESERVATION: IncidentCause.OUT_OF_SCOPE,
    AlertRule.CONTRADICTION: IncidentCause.CONTRADICTION,
    AlertRule.UNEXPLAINED: IncidentCause.UNEXPLAINED,
}
"""Rules of which one occurrence is an incident."""

_OF_REASON: Final[Mapping[ReasonCode, AlertRule]] = {
    ReasonCode.UNKNOWN_TOOL: AlertRule.UNEXPECTED_TOOL,
    ReasonCode.NOT_PERMITTED_REQUEST: AlertRule.OUT_OF_SCOPE,
    ReasonCode.NEVER: AlertRule.NEVER,
    ReasonCode.SELF_PRESERVATION: AlertRule.SELF_PRESERVATION,
    ReasonCode.DEPLOYMENT_CHANGED: AlertRule.CHANGED,
    ReasonCode.BUDGET: AlertRule.RATE,
    ReasonCode.FAN_OUT: AlertRule.RATE,
    ReasonCode.RULE_ERROR: AlertRule.GATE_FAULT,
    ReasonCode.CHECK_ERROR: AlertRule.GATE_FAULT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One thing that happened and should not have.

    Attributes:
        agent: whose; `SYSTEM` for Handrail's own.
        rule: what kind.
        tool: the tool as the profile knows it, or a part of Handrail; never an agent's words.
        resource: the class of what it reached for, such as the upstream; never an instance (F12).
        deployment: the deployment's digest, where there is one.
        run: the run, where there is one.
        action: the action, where there is one.
        detail: more about it, encrypted in the record; nothing decides by it.
    """

    agent: str
    rule: AlertRule
    tool: str = UNKNOWN
    resource: str = UNKNOWN
    deployment: str | None = None
    run: str | None = None
    action: str | None = None
    detail: str | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return SEVERITIES[self.rule]

    @property
    def fingerprint(self) -> str:
        """What makes two deviations the same one: agent, rule, tool and resource class; SHA-256 in hex."""
        parts = f"{self.agent}\n{self.rule.value}\n{self.tool}\n{self.resource}"
        return hashlib.sha256(parts.encode()).hexdigest()


def deviations(decided: Decided, run: RunContext) -> tuple[Deviation, ...]:
    """Return what a decision shows of an agent that went astray: one for each rule, worst first."""
    if decided.answer is not Answer.DENY:
        return ()
    reading = decided.reading
    denying = [verdict for verdict in decided.decision.verdicts if verdict.answer is Answer.DENY]
    found = {_OF_REASON.get(reason.code) for verdict in denying for reason in verdict.reasons}
    rules = [rule for rule in AlertRule if rule in found]
    return tuple(
        Deviation(
            agent=run.agent,
            rule=rule,
            tool=reading.name or UNKNOWN,
            resource=reading.upstream or reading.action.kind.value,
            deployment=run.deployment,
            run=run.run,
            action=reading.action.id,
        )
        for rule in sorted(rules, key=lambda rule: -SEVERITIES[rule].rank)
    )
