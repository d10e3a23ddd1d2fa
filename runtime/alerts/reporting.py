"""What only people can see: a rationale that contradicts the agent's goals, a decision nobody can explain.

Anyone enrolled may report it; it only takes power away.
"""

from datetime import datetime

from sqlalchemy import Connection, select

from profiles.effects import Tier
from runtime.alerts.book import raise_alert
from runtime.alerts.closing import Escalated
from runtime.alerts.consequences import suspend_unexplained
from runtime.alerts.incidents import standing_incident
from runtime.alerts.queries import AlertError
from runtime.alerts.rules import AT_ONCE, AlertRule, Deviation
from runtime.alerts.words import REPORTABLE, matter_to_report, reason_of
from runtime.demotion import DemotionCause, drop
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, verify
from runtime.people.statement import SignedStatement
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.tables.actions import ActionRow
from runtime.tables.agents import RunRow

_ACTION = ActionRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table
_RUN = RunRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


def report(tx: Tx, signed: SignedStatement, *, roster: Roster, now: datetime) -> Escalated | Refused:
    """Raise an alert about a run or an action on the word of anyone enrolled (R-53, R-54).

    A contradiction takes the deployment to tier 0; what nobody can explain suspends its writes.

    Raises:
        AlertError: there is no such run or action.
    """
    said = verify(signed, roster, now=now)
    if isinstance(said, Refused):
        return said
    rule = _rule_of(said)
    if isinstance(rule, Refused):
        return rule
    deviation = _reported(tx.conn, said.statement.subject, rule)
    if refused := consume(tx, said):
        return refused
    return _take(tx, deviation, said, roster, now)


def _rule_of(said: Verified) -> AlertRule | Refused:
    """Return what this word reports, or why it reports nothing."""
    reason = reason_of(said)
    rule = next((one for one in REPORTABLE if one.value == said.statement.body.get("rule")), None)
    if rule is None or reason is None:
        names = " or ".join(REPORTABLE)
        return Refused(RefusalCode.OTHER_MATTER, f"a report is about {names}, and has a reason")
    return about(said, matter_to_report(said.statement.subject, rule, reason)) or rule


def _reported(conn: Connection, subject: str, rule: AlertRule) -> Deviation:
    """Return the deviation that a report about a run or an action tells."""
    action = conn.execute(select(_ACTION.c.run, _ACTION.c.tool).where(_ACTION.c.id == subject)).first()
    run = conn.execute(select(_RUN).where(_RUN.c.id == (action.run if action else subject))).first()
    if run is None:
        raise AlertError(f"no run or action {subject}; `handrail runs list` and `audit trace` show them")
    return Deviation(
        agent=run.agent,
        rule=rule,
        tool=action.tool if action else "run",
        resource="said",
        deployment=run.deployment,
        run=run.id,
        action=subject if action else None,
    )


def _take(tx: Tx, deviation: Deviation, said: Verified, roster: Roster, now: datetime) -> Escalated:
    raised = raise_alert(tx, deviation, policy=roster.policy, now=now)
    incident = standing_incident(tx.conn, deviation.fingerprint, AT_ONCE[deviation.rule])
    if incident is None or deviation.deployment is None:
        raise AlertError(f"alert {raised.id} has no incident; run `handrail audit verify`")
    if deviation.rule is AlertRule.CONTRADICTION:
        why = DemotionCause.CONTRADICTION
        drop(tx, deviation.deployment, Tier.OBSERVE, why, actor=said.person, now=now)
    else:
        suspend_unexplained(
            tx, raised.id, incident, agent=deviation.agent, deployment=deviation.deployment, now=now
        )
    return Escalated(incident, said.person, raised.id)
