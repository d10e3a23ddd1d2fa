"""The assessment of a deployment before its first promotion (G9), as signed words. Rows decide nothing.

- Blast radius: a person signs for exactly what the profile lets the agent reach, computed on both sides.
- Goal conflict, out of distribution, several steps: a person signs pass or fail, with what was tried.
- A result of a single turn is no result for several steps (R-63).
- The newest word on each counts, by the moment that was signed; of two at the same moment, a fail.
- It is about one deployment: a changed anything has another digest, and starts without an assessment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, select

from profiles.policy import Role
from rollout.evidence.capabilities import capabilities_digest
from rollout.evidence.model import Assessed, Assessment, AssessmentKind
from runtime.alerts.queries import owners_of
from runtime.canonical import JsonValue
from runtime.deployments import Deployment
from runtime.gate.actions import digest_of
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck, verify
from runtime.people.statement import Matter, SignedStatement, Statement, StatementType
from runtime.people.statements import consume
from runtime.record.batch import Tx
from runtime.record.events import Event, EventKind
from runtime.tables.people import StatementRow

ASSESSORS: Final = frozenset({Role.REVIEWER, Role.DOMAIN_REVIEWER, Role.SECURITY})
LEAST_TURNS: Final = 2
_SAID = StatementRow.__table__  # type: ignore[attr-defined]  # SQLModel does not type its table


class Subject(StrEnum):
    """What can be assessed by a person's word."""

    GOAL_CONFLICT = AssessmentKind.GOAL_CONFLICT.value
    OUT_OF_DISTRIBUTION = AssessmentKind.OUT_OF_DISTRIBUTION.value
    MULTI_STEP = AssessmentKind.MULTI_STEP.value
    BLAST_RADIUS = "blast-radius"


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict as it is signed.

    Attributes:
        deployment: the deployment's digest.
        what: what was assessed.
        passed: whether it passed; a blast radius is signed for, or not at all.
        reason: what was tried and seen, or what could go wrong.
        turns: steps of the longest test, for several steps; None for the others.
        capabilities: digest of what the profile lets the agent reach, for the blast radius.
    """

    deployment: str
    what: Subject
    passed: bool
    reason: str
    turns: int | None = None
    capabilities: str | None = None

    @property
    def matter(self) -> Matter:
        """What is signed. The digest of a blast radius is that of the list that was shown."""
        body: dict[str, JsonValue] = {
            "assessment": self.what.value,
            "passed": self.passed,
            "reason": self.reason,
            "turns": self.turns,
            "capabilities": self.capabilities,
        }
        return Matter(StatementType.ASSESSMENT, self.deployment, self.capabilities or digest_of(body), body)


def record(tx: Tx, signed: SignedStatement, deployment: Deployment, *, roster: Roster) -> Finding | Refused:
    """Take a signed verdict about a deployment and use it up."""
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    finding = read(said.statement)
    if finding is None:
        return Refused(RefusalCode.OTHER_MATTER, "it is no verdict of an assessment")
    refused = (
        _not_about(said, finding, deployment)
        or _unusable(finding)
        or may_assess(said.person, _owners(tx.conn, deployment, roster), roster)
        or consume(tx, said)
    )
    if refused:
        return refused
    tx.append(_event(tx, said, finding, deployment))
    return finding


def assessment_of(conn: Connection, deployment: Deployment, *, roster: Roster) -> Assessment:
    """Return what is known of a deployment's assessment; every word is verified again."""
    owners = _owners(conn, deployment, roster)
    found: dict[Subject, tuple[Assessed, Finding]] = {}
    for said in _heard(conn, deployment.digest, roster):
        finding = read(said.statement)
        if finding is None or may_assess(said.person, owners, roster) or _unusable(finding):
            continue
        if not _not_about(said, finding, deployment, now=False):
            newest = Assessed(finding.passed, said.person, said.statement.at)
            found[finding.what] = (newest, finding)
    radius = found.pop(Subject.BLAST_RADIUS, None)
    judged: Mapping[AssessmentKind, Assessed] = {
        AssessmentKind(what.value): assessed for what, (assessed, _) in found.items()
    }
    signed_for = None if radius is None else radius[1].capabilities
    return Assessment(capabilities_digest(deployment.profile), signed_for, judged)


def read(statement: Statement) -> Finding | None:
    """Return the verdict that a statement states; None if it states none."""
    body = statement.body
    what, passed, reason = body.get("assessment"), body.get("passed"), body.get("reason")
    turns, reach = body.get("turns"), body.get("capabilities")
    if what not in tuple(Subject) or not isinstance(passed, bool) or not isinstance(reason, str):
        return None
    return Finding(
        statement.subject,
        Subject(str(what)),
        passed,
        reason,
        turns if isinstance(turns, int) and not isinstance(turns, bool) else None,
        reach if isinstance(reach, str) else None,
    )


def may_assess(person: str, owners: frozenset[str], roster: Roster) -> Refused | None:
    """Return why a person's word is no verdict: the owner's never is."""
    if not roster.roles_of(person) & ASSESSORS:
        roles = ", ".join(sorted(role.value for role in ASSESSORS))
        return Refused(RefusalCode.NOT_PERMITTED, f"assessing takes one of the roles {roles}")
    if person in owners:
        return Refused(RefusalCode.NOT_PERMITTED, f"`{person}` owns the agent, so cannot assess it")
    return None


def _not_about(
    said: Verified, finding: Finding, deployment: Deployment, *, now: bool = True
) -> Refused | None:
    """Return why the word is not exactly this verdict; what can be reached must be so `now` to be taken."""
    if finding.deployment != deployment.digest:
        return Refused(RefusalCode.OTHER_MATTER, "it is about another deployment")
    if refused := about(said, finding.matter):
        return refused
    radius = finding.what is Subject.BLAST_RADIUS
    reach = capabilities_digest(deployment.profile) if radius else None
    if radius != (finding.capabilities is not None) or (now and finding.capabilities != reach):
        return Refused(RefusalCode.OTHER_MATTER, "what was shown is not what the profile permits")
    return None


def _unusable(finding: Finding) -> Refused | None:
    """Return why a verdict proves nothing, whoever gives it (R-63)."""
    if not finding.reason.strip():
        return Refused(RefusalCode.NOT_PERMITTED, "a verdict needs a reason: what was tried, what was seen")
    if finding.what is Subject.BLAST_RADIUS and not finding.passed:
        return Refused(RefusalCode.NOT_PERMITTED, "a blast radius is signed for, or not at all")
    several = finding.what is Subject.MULTI_STEP
    if several and (finding.turns is None or finding.turns < LEAST_TURNS):
        detail = f"several steps were not tested: {finding.turns or 0} turns, expected {LEAST_TURNS} or more"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None


def _owners(conn: Connection, deployment: Deployment, roster: Roster) -> frozenset[str]:
    owners = owners_of(conn, deployment.parts.agent, deployment.digest)
    return frozenset(roster.person_of(name) for name in owners)


def _heard(conn: Connection, deployment: str, roster: Roster) -> list[Verified]:
    """Return the verdicts that still count, the newest last; of the same moment a fail is newer."""
    query = select(_SAID.c.body, _SAID.c.signature).where(
        _SAID.c.subject == deployment, _SAID.c.type == StatementType.ASSESSMENT.value
    )
    words = [recheck(SignedStatement(row.body, row.signature), roster) for row in conn.execute(query)]
    heard = [said for said in words if isinstance(said, Verified)]
    return sorted(
        heard, key=lambda said: (said.statement.at, said.statement.body.get("passed") is False, said.id)
    )


def _event(tx: Tx, said: Verified, finding: Finding, deployment: Deployment) -> Event:
    return Event(
        kind=EventKind.ASSESSMENT_RECORDED,
        at=tx.now,
        actor=said.person,
        agent=deployment.parts.agent,
        deployment=deployment.digest,
        subject=deployment.digest,
        data={
            "assessment": finding.what.value,
            "passed": finding.passed,
            "turns": finding.turns,
            "capabilities": finding.capabilities,
            "statement": said.id,
        },
        payload={"reason": finding.reason},
    )
