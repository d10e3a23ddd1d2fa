"""What people say about alerts and incidents, and when it counts. Pure.

| word | who | what it does |
|---|---|---|
| DISPOSITION on an alert | reviewers, security, operators; never the agent's owner | closes it |
| ESCALATION on an alert, a run or an action | anyone enrolled | opens an incident |
| INCIDENT on an incident | leadership, never the agent's owner | acknowledges it |

A closing binds the alert as it was shown, with its count: what happened since is not closed by it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from profiles.policy import Role
from runtime.alerts.rules import AlertRule, Disposition, Severity
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.moments import utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about
from runtime.people.statement import Matter, StatementType
from runtime.suspension_rules import DISPOSERS

REPORTABLE: Final = (AlertRule.CONTRADICTION, AlertRule.UNEXPLAINED)
"""What only people can see: no machine raises these."""
MOST_WORDS: Final = 4000


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it is believed: what was recorded, and the count of its row.

    Attributes:
        id: its id.
        agent: whose, or `handrail` for its own.
        deployment: of the first occurrence, where there was one.
        rule: one of `AlertRule`, as it was recorded.
        severity: how bad.
        tool: the tool as the profile knows it.
        resource: the class of what was reached for.
        fingerprint: what makes another deviation the same one.
        count: occurrences on this alert.
        first_at: when it happened first.
        last_at: when it happened last.
        due_at: until when people have to look at it.
        closed: who closed it, and as what; None while it is open.
        problem: what is wrong with its row; None if nothing is.
    """

    id: str
    agent: str
    deployment: str | None
    rule: str
    severity: Severity
    tool: str
    resource: str
    fingerprint: str
    count: int
    first_at: datetime
    last_at: datetime
    due_at: datetime
    closed: "Closing | None" = None
    problem: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody who counts has closed it."""
        return self.closed is None

    @property
    def card(self) -> dict[str, JsonValue]:
        """What is shown and signed."""
        return alert_card(self)

    def matter(self, disposition: Disposition, text: str) -> Matter:
        """Return what is signed to close it."""
        return matter_to_close(self.card, disposition, text)


@dataclass(frozen=True, slots=True)
class Closing:
    """The word that closed an alert."""

    person: str
    disposition: Disposition
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it is believed.

    Attributes:
        acknowledged: the leader whose word acknowledged it; None while it waits.
        words: what the leader said.
    """

    id: str
    agent: str
    deployment: str | None
    alert: str | None
    cause: str
    opened_at: datetime
    acknowledged: str | None = None
    words: str = ""
    problem: str | None = None

    @property
    def card(self) -> dict[str, JsonValue]:
        """What is shown and signed."""
        return {
            "incident": self.id,
            "agent": self.agent,
            "deployment": self.deployment,
            "alert": self.alert,
            "cause": self.cause,
            "opened_at": utc_text(self.opened_at),
        }


def alert_card(alert: Alert) -> dict[str, JsonValue]:
    """Return an alert as it is shown and signed."""
    return {
        "alert": alert.id,
        "agent": alert.agent,
        "deployment": alert.deployment,
        "rule": alert.rule,
        "severity": alert.severity.value,
        "tool": alert.tool,
        "resource": alert.resource,
        "count": alert.count,
        "first_at": utc_text(alert.first_at),
        "last_at": utc_text(alert.last_at),
        "due_at": utc_text(alert.due_at),
    }


def matter_to_close(card: dict[str, JsonValue], disposition: Disposition, text: str) -> Matter:
    """Return what is signed to close the alert of a card."""
    body: dict[str, JsonValue] = {"disposition": disposition.value, "reason": text}
    return Matter(StatementType.DISPOSITION, str(card["alert"]), digest_of(card), body)


def matter_to_escalate(card: dict[str, JsonValue], reason: str) -> Matter:
    """Return what is signed to make an incident of an alert."""
    return Matter(StatementType.ESCALATION, str(card["alert"]), digest_of(card), {"reason": reason})


def matter_to_report(subject: str, rule: AlertRule, reason: str) -> Matter:
    """Return what is signed to report what only a person can see about a run or an action."""
    body: dict[str, JsonValue] = {"rule": rule.value, "reason": reason}
    return Matter(StatementType.ESCALATION, subject, digest_of({"subject": subject, **body}), body)


def matter_to_acknowledge(card: dict[str, JsonValue], text: str) -> Matter:
    """Return what a leader signs to acknowledge the incident of a card."""
    return Matter(StatementType.INCIDENT, str(card["incident"]), digest_of(card), {"reason": text})


def may_close(said: Verified, alert: Alert, owners: Collection[str], roster: Roster) -> Refused | Disposition:
    """Return as what this word closes an alert, or why it does not."""
    disposition = said.statement.body.get("disposition")
    text = _text_of(said)
    if disposition not in tuple(Disposition) or text is None:
        names = ", ".join(Disposition)
        return Refused(RefusalCode.OTHER_MATTER, f"a closing is one of {names}, and has a reason")
    found = Disposition(str(disposition))
    if refused := about(said, alert.matter(found, text)):
        return refused
    return _may(said, DISPOSERS, owners, roster, "closing an alert") or found


def may_acknowledge(
    said: Verified, incident: Incident, owners: Collection[str], roster: Roster
) -> Refused | None:
    """Return why this word does not acknowledge an incident; None if it does."""
    text = _text_of(said)
    if text is None:
        return Refused(RefusalCode.OTHER_MATTER, "an acknowledgement has words")
    if refused := about(said, matter_to_acknowledge(incident.card, text)):
        return refused
    return _may(said, frozenset({Role.LEADERSHIP}), owners, roster, "acknowledging an incident")


def reason_of(said: Verified) -> str | None:
    """Return the words that a statement carries; None if it has none, or too many."""
    return _text_of(said)


def _may(
    said: Verified, roles: frozenset[Role], owners: Collection[str], roster: Roster, what: str
) -> Refused | None:
    if said.person in {roster.person_of(name) for name in owners}:
        return Refused(RefusalCode.NOT_PERMITTED, f"{what} is not for the agent's owner")
    if not roster.roles_of(said.person) & roles:
        names = ", ".join(sorted(role.value for role in roles))
        return Refused(RefusalCode.NOT_PERMITTED, f"{what} takes one of the roles {names}")
    return None


def _text_of(said: Verified) -> str | None:
    text = said.statement.body.get("reason")
    return text if isinstance(text, str) and text.strip() and len(text) <= MOST_WORDS else None
