"""Counting votes on a held action. Rows find the statements; only verified statements count.

- a yes must be about exactly this card, its reasons included; a no about this card;
- one voice for each person; nobody who launched the run or owns the agent, unless one user runs everything;
- who counts, and how many are needed, is the policy's word at this moment;
- a critical action takes two persons whatever the policy says;
- one no of anyone who could have said yes is a no.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from profiles.effects import Effect
from profiles.policy import Policy, Quorum
from runtime.gate.cards import HoldCard
from runtime.gate.facts import Approval
from runtime.people.quorum import Met, check_quorum
from runtime.people.roster import Roster, Verified, about, recheck
from runtime.people.statement import SignedStatement, StatementType

CRITICAL_PERSONS: Final = 2


@dataclass(frozen=True)
class Tally:
    """How a vote stands.

    Attributes:
        approved_by: the persons whose yes counted, if they are enough.
        rejected_by: a person whose no counted.
        missing: what is still needed, one phrase each.
    """

    approved_by: tuple[str, ...] = ()
    rejected_by: str | None = None
    missing: tuple[str, ...] = ()

    @property
    def approved(self) -> bool:
        """Whether enough persons said yes and nobody said no."""
        return bool(self.approved_by) and self.rejected_by is None


def quorum_for(policy: Policy, effect: Effect) -> Quorum | None:
    """Return who must approve an action of this class; None where the policy names nobody."""
    quorum = policy.holds.get(effect)
    if quorum is None or effect is not Effect.CRITICAL:
        return quorum
    return quorum.model_copy(update={"count": max(quorum.count, CRITICAL_PERSONS)})


def count_votes(card: HoldCard, statements: Iterable[SignedStatement], roster: Roster) -> Tally:
    """Count what was said about a card. Pure: card, statements and roster decide alone."""
    quorum = quorum_for(roster.policy, card.effect)
    if quorum is None:
        return Tally(missing=(f"the policy names nobody who may approve {card.effect}",))
    said = [one for one in (recheck(signed, roster) for signed in statements) if isinstance(one, Verified)]
    for one in said:
        if is_rejection(one, card) and may_vote(one.person, card, quorum, roster):
            return Tally(rejected_by=one.person)
    voices = {one.person for one in said if is_approval(one, card)}
    met = check_quorum(quorum, voices, roster, excluded=card.excluded)
    return Tally(approved_by=met.persons) if isinstance(met, Met) else Tally(missing=met.missing)


def approval_of(card: HoldCard, tally: Tally, *, now: datetime) -> Approval | None:
    """Return what the checks may use; None unless enough persons said yes, in time."""
    if not tally.approved or now >= card.expires_at:
        return None
    return Approval(card.hold, card.action_digest, frozenset(card.clears), card.expires_at)


def may_vote(person: str, card: HoldCard, quorum: Quorum, roster: Roster) -> bool:
    """Whether this person's word on the card counts for anything."""
    barred = {roster.person_of(name) for name in card.excluded}
    asked = {*quorum.roles, *({quorum.acknowledged_by} if quorum.acknowledged_by else ())}
    return person not in barred and bool(roster.roles_of(person) & asked)


def is_approval(said: Verified, card: HoldCard) -> bool:
    """Whether this is a yes to exactly this card and the reasons on it."""
    return about(said, card.matter(StatementType.APPROVAL, reason=_reason(said))) is None


def is_rejection(said: Verified, card: HoldCard) -> bool:
    """Whether this is a no to exactly this card."""
    return about(said, card.matter(StatementType.REJECTION, reason=_reason(said))) is None


def _reason(said: Verified) -> str:
    reason = said.statement.body.get("reason")
    return reason if isinstance(reason, str) else ""
