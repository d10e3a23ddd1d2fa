"""What a suspension is, and which signed words end it. Pure; `runtime.suspensions` reads and writes.

| code | what ends it, beside RESUME |
|---|---|
| harmful | another reviewer's other verdict on the same thing, in time; nothing once two said harmful |
| review-overdue | a review of the obligation, closed by those whom the policy names |
| alert-overdue | a disposition of the alert |
| unexplained | a leader's acknowledgement of the incident |
| heartbeat, clock-anomaly | |
| outdated | nothing, not even RESUME: a new deployment is the way (R-38) |

RESUME is the word of a rollout manager or of security. The agent's owner ends nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from profiles.effects import Effect
from profiles.policy import Quorum, Role
from runtime.canonical import JsonValue, canonical
from runtime.gate.actions import digest_of
from runtime.gate.states import JUDGES, JudgementVerdict
from runtime.moments import utc_moment
from runtime.people.quorum import Met, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck
from runtime.people.statement import Matter, SignedStatement, StatementType

EVERYTHING: Final = "all"
"""Stands where a deployment does, for a suspension of all of them."""
WRITES: Final = frozenset(Effect) - {Effect.READ}


class SuspensionCode(StrEnum):
    """Why writes are suspended."""

    HARMFUL = "harmful"
    REVIEW_OVERDUE = "review-overdue"
    ALERT_OVERDUE = "alert-overdue"
    UNEXPLAINED = "unexplained"
    HEARTBEAT = "heartbeat"
    CLOCK = "clock-anomaly"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Writes that are taken away for a while.

    Attributes:
        id: made for this suspension.
        deployment: whose writes; `EVERYTHING` for those of all deployments.
        effect: the one class that is taken away; None for every class but `read`.
        code: why, in the words of `SuspensionCode`; a word that is not one of them ends by RESUME alone.
        subject: id of what caused it: a suggestion, an obligation, an alert, an incident.
        reason: why, for people; never an agent's words.
        set_at: when, as `utc_text` wrote it.
        problem: what is wrong with its row; None if nothing is.
    """

    id: str
    deployment: str
    effect: Effect | None
    code: str
    subject: str
    reason: str
    set_at: str
    problem: str | None = None

    @property
    def effects(self) -> frozenset[Effect]:
        """The classes that may not be carried out; reading is never among them."""
        return WRITES if self.effect is None else frozenset({self.effect}) & WRITES


Word = tuple[str, bytes, str, str]
"""A statement as it is read: subject, bytes, signature, and when it was taken, as `utc_text` wrote it."""
Spoken = tuple[Verified, str]
"""A word that holds, and when it was taken."""

RESUMERS: Final = frozenset({Role.ROLLOUT_MANAGER, Role.SECURITY})
DISPOSERS: Final = frozenset({Role.REVIEWER, Role.DOMAIN_REVIEWER, Role.SECURITY, Role.OPERATOR})
_CLOSED_BY: Final = {
    SuspensionCode.ALERT_OVERDUE.value: (StatementType.DISPOSITION, DISPOSERS),
    SuspensionCode.UNEXPLAINED.value: (StatementType.INCIDENT, frozenset({Role.LEADERSHIP})),
}
ENDING_TYPES: Final = (
    StatementType.RESUME,
    StatementType.JUDGEMENT,
    StatementType.REVIEW,
    StatementType.DISPOSITION,
    StatementType.INCIDENT,
)


def matter_to_resume(suspension: str, *, reason: str) -> Matter:
    """Return what is signed to end a suspension."""
    body: dict[str, JsonValue] = {"suspension": suspension, "reason": reason}
    return Matter(StatementType.RESUME, suspension, digest_of(body), body)


def may_resume(said: Verified, code: str, owners: Collection[str], roster: Roster) -> Refused | None:
    """Return why this word does not end the suspension it names; None if it does."""
    reason = said.statement.body.get("reason")
    matter = matter_to_resume(said.statement.subject, reason=reason if isinstance(reason, str) else "")
    if refused := about(said, matter):
        return refused
    if code == SuspensionCode.OUTDATED:
        detail = "outdated rules end by a new deployment alone: handrail deploy create"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    if said.person in owners or not roster.roles_of(said.person) & RESUMERS:
        roles = " or ".join(sorted(RESUMERS))
        detail = f"resuming takes the role {roles}, and not the agent's owner"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None


@lru_cache(maxsize=4096)
def is_over(suspension: Suspension, words: tuple[Word, ...], owners: frozenset[str], roster: Roster) -> bool:
    """Whether signed words have ended a suspension.

    Args:
        suspension: as it is believed.
        words: everything that was said about it and about what caused it.
        owners: who owns the agent, by every account.
        roster: who counts now.
    """
    barred = {roster.person_of(name) for name in owners}
    spoken = [one for one in _heard(words, roster) if one[0].person not in barred]
    if any(
        said.statement.subject == suspension.id and may_resume(said, suspension.code, barred, roster) is None
        for said, _ in spoken
    ):
        return True
    if suspension.problem is not None:
        return False
    return _closed(
        suspension, [one for one in spoken if one[0].statement.subject == suspension.subject], roster
    )


def _closed(suspension: Suspension, spoken: list[Spoken], roster: Roster) -> bool:
    """Whether what caused it was dealt with by those who may."""
    match suspension.code:
        case SuspensionCode.HARMFUL:
            return _contradicted(spoken, roster)
        case SuspensionCode.REVIEW_OVERDUE:
            return _reviewed(spoken, roster)
        case SuspensionCode.ALERT_OVERDUE | SuspensionCode.UNEXPLAINED:
            type_, roles = _CLOSED_BY[suspension.code]
            return any(roster.roles_of(person) & roles for person in _voices(spoken, type_))
        case _:
            return False


def _reviewed(spoken: list[Spoken], roster: Roster) -> bool:
    """Whether enough persons closed the review with the same words over the same packet."""
    alike: dict[bytes, set[str]] = {}
    for said, _ in spoken:
        if said.statement.type is StatementType.REVIEW:
            key = canonical([said.statement.digest, said.statement.body])
            alike.setdefault(key, set()).add(said.person)
    return any(_is_met(roster.policy.reviews.close, persons, roster) for persons in alike.values())


def _contradicted(spoken: list[Spoken], roster: Roster) -> bool:
    """Whether one reviewer said harmful, nobody else did, and another said something else in time."""
    judged = [
        one
        for one in spoken
        if one[0].statement.type is StatementType.JUDGEMENT and roster.roles_of(one[0].person) & JUDGES
    ]
    harmful = [said for said, _ in judged if _verdict(said) is JudgementVerdict.HARMFUL]
    if len({said.person for said in harmful}) != 1:
        return False
    first = min(harmful, key=lambda said: said.statement.at)
    last = first.statement.at + timedelta(hours=roster.policy.evidence.confirm_hours)
    return any(
        said.person != first.person
        and said.statement.digest == first.statement.digest
        and _verdict(said) not in {None, JudgementVerdict.HARMFUL}
        and first.statement.at <= said.statement.at <= last
        and utc_moment(taken) <= last
        for said, taken in judged
    )


def _heard(words: Iterable[Word], roster: Roster) -> list[Spoken]:
    heard = [
        (recheck(SignedStatement(body, signature), roster), taken) for _, body, signature, taken in words
    ]
    return [(said, taken) for said, taken in heard if isinstance(said, Verified)]


def _voices(spoken: Iterable[Spoken], type_: StatementType) -> set[str]:
    return {said.person for said, _ in spoken if said.statement.type is type_}


def _is_met(quorum: Quorum, voices: Collection[str], roster: Roster) -> bool:
    return isinstance(check_quorum(quorum, voices, roster), Met)


def _verdict(said: Verified) -> JudgementVerdict | None:
    verdict = said.statement.body.get("verdict")
    return next((one for one in JudgementVerdict if one.value == verdict), None)
