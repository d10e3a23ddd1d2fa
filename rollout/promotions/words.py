"""What counts of what people said about a request. Pure: words as read, the request and the roster decide.

- a yes is the word of a grant (`Frozen.order`): exactly this class, deployment, time and evidence;
- one voice for each person; never the requester, the agent's owner, or the only reviewer of the evidence;
- a word older than the policy's `promotion_hours` counts no more (G12);
- an exception takes two persons of two groups, shortens only what is observed (G1) or the distinct days
  (G2), and there is none where the risk or the class is critical.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from profiles.policy import Quorum, Role
from rollout.gates.inputs import Approvals, Exceptions
from rollout.gates.model import GateId
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import matter_to_except, reason_of
from runtime.grant_rules import off_order, quorum_for
from runtime.people.quorum import Met, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck
from runtime.people.statement import SignedStatement, StatementType

EXCEPTABLE: Final = (GateId.G1, GateId.G2)
EXCEPTORS: Final = Quorum(
    count=2, roles=(Role.ROLLOUT_MANAGER, Role.DOMAIN_REVIEWER, Role.SECURITY, Role.LEADERSHIP), groups=2
)


def approvals(
    frozen: Frozen,
    words: Iterable[SignedStatement],
    *,
    reviewers: Collection[str],
    roster: Roster,
    now: datetime,
) -> Approvals:
    """Count the approvals of a request.

    Args:
        frozen: the request.
        words: everything that was said about its grant, as stored.
        reviewers: who judged the evidence, as it is now.
        roster: who counts now (F6).
        now: the present moment.
    """
    heard = [recheck(one, roster) for one in words]
    voices = {
        said.person: said.statement.at
        for said in heard
        if isinstance(said, Verified)
        and off_order(said, frozen.order) is None
        and is_fresh(said, roster, now=now)
        and may_approve(said.person, frozen, roster, reviewers=reviewers) is None
    }
    quorum = quorum_for(roster.policy, frozen.effect)
    if quorum is None:
        return Approvals(missing=(f"the policy names nobody who may grant {frozen.effect}",))
    met = check_quorum(quorum, voices, roster, excluded=(frozen.requester, frozen.owner))
    missing = () if isinstance(met, Met) else met.missing
    return Approvals(tuple(sorted(voices)), missing, min(voices.values(), default=None))


def exceptions(
    frozen: Frozen, words: Iterable[SignedStatement], *, critical: bool, roster: Roster, now: datetime
) -> Exceptions:
    """Return the gates for which enough persons signed an exception of this very request.

    Args:
        frozen: the request.
        words: everything that was said about it, as stored.
        critical: whether the agent's risk is critical now; then there is no exception.
        roster: who counts now.
        now: the present moment.
    """
    if critical or frozen.critical:
        return {}
    heard = [recheck(one, roster) for one in words]
    said = [
        one
        for one in heard
        if isinstance(one, Verified) and off_exception(one, frozen) is None and is_fresh(one, roster, now=now)
    ]
    voices = {gate: {one.person for one in said if gate in gates_of(one)} for gate in EXCEPTABLE}
    excluded = (frozen.requester, frozen.owner)
    met = {gate: check_quorum(EXCEPTORS, who, roster, excluded=excluded) for gate, who in voices.items()}
    return {gate: found.persons for gate, found in met.items() if isinstance(found, Met)}


def may_approve(
    person: str, frozen: Frozen, roster: Roster, *, reviewers: Collection[str] = ()
) -> Refused | None:
    """Return why this person's yes could not count; None if it could."""
    if refused := _is_party(person, frozen, roster):
        return refused
    if any({roster.person_of(name) for name in who} == {person} for who in (frozen.reviewers, reviewers)):
        detail = f"`{person}` alone judged the evidence: someone else must approve it"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    if not roster.roles_of(person) & _asked(frozen, roster):
        return Refused(RefusalCode.NOT_PERMITTED, f"`{person}` has no role that approves {frozen.effect}")
    return None


def may_reject(person: str, frozen: Frozen, roster: Roster) -> Refused | None:
    """Return why this person's no does not count; None if it does. Saying no is nobody's conflict."""
    if not roster.roles_of(person) & (_asked(frozen, roster) | {Role.SECURITY}):
        return Refused(RefusalCode.NOT_PERMITTED, f"`{person}` has no role that decides on {frozen.effect}")
    return None


def may_withdraw(person: str, frozen: Frozen, roster: Roster) -> Refused | None:
    """Return why this person cannot take the request back; None if they can."""
    if person != frozen.requester and Role.ROLLOUT_MANAGER not in roster.roles_of(person):
        detail = f"`{frozen.requester}` or a {Role.ROLLOUT_MANAGER} withdraws it"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None


def may_except(person: str, frozen: Frozen, roster: Roster) -> Refused | None:
    """Return why this person's exception could not count; None if it could."""
    if frozen.critical:
        return Refused(RefusalCode.NOT_PERMITTED, "there is no exception where risk or class is critical")
    if refused := _is_party(person, frozen, roster):
        return refused
    if not roster.roles_of(person) & set(EXCEPTORS.roles):
        roles = ", ".join(EXCEPTORS.roles)
        return Refused(RefusalCode.NOT_PERMITTED, f"an exception takes one of the roles {roles}")
    return None


def off_exception(said: Verified, frozen: Frozen) -> Refused | None:
    """Return why this word is no exception of this request; None if it is."""
    gates = gates_of(said)
    if not gates:
        known = " and ".join(EXCEPTABLE)
        return Refused(RefusalCode.NOT_PERMITTED, f"only {known} can be excepted")
    return about(said, matter_to_except(frozen.promotion, frozen.basis, gates=gates, reason=reason_of(said)))


def gates_of(said: Verified) -> tuple[GateId, ...]:
    """Return the gates that an exception names; none if it names one that has no exception."""
    named = said.statement.body.get("gates")
    known = {gate.value: gate for gate in EXCEPTABLE}
    if not isinstance(named, list) or not all(isinstance(one, str) and one in known for one in named):
        return ()
    return tuple(known[str(one)] for one in named)


def is_fresh(said: Verified, roster: Roster, *, now: datetime) -> bool:
    """Whether a word is not too old to count (G12)."""
    return now - said.statement.at <= timedelta(hours=roster.policy.expiry.promotion_hours)


def is_yes(said: Verified, frozen: Frozen) -> bool:
    """Whether a word is a yes to exactly this request."""
    return said.statement.type is StatementType.GRANT and off_order(said, frozen.order) is None


def _is_party(person: str, frozen: Frozen, roster: Roster) -> Refused | None:
    if person in {roster.person_of(name) for name in (frozen.requester, frozen.owner)}:
        detail = f"`{person}` asked for it or owns the agent: neither may decide"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None


def _asked(frozen: Frozen, roster: Roster) -> set[Role]:
    quorum = quorum_for(roster.policy, frozen.effect)
    if quorum is None:
        return set()
    return {*quorum.roles, *({quorum.acknowledged_by} if quorum.acknowledged_by else ())}
