"""Taking people's words about an open request. Each is verified, used up, and never counted by its row."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from rollout.gates.inputs import Approvals
from rollout.promotions import rows, steps
from rollout.promotions.frozen import Frozen
from rollout.promotions.matters import matter_to_reject, matter_to_withdraw, reason_of
from rollout.promotions.rows import Request
from rollout.promotions.states import PromotionState
from rollout.promotions.words import (
    approvals,
    gates_of,
    is_fresh,
    is_yes,
    may_approve,
    may_except,
    may_reject,
    may_withdraw,
    off_exception,
)
from runtime.grant_rules import off_order
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck, verify
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.people.statements import consume, statements_on
from runtime.record.batch import Tx

_Check = Callable[[Verified, Frozen], Refused | None]


@dataclass(frozen=True, slots=True)
class Voted:
    """A word that was taken.

    Attributes:
        promotion: the request.
        person: whose word it is.
        state: how the request stands now.
        approvals: whose yes counts now, and what is missing.
    """

    promotion: str
    person: str
    state: PromotionState
    approvals: Approvals


def approve(tx: Tx, promotion: str, signed: SignedStatement, *, roster: Roster) -> Voted | Refused:
    """Take a yes: the word of a grant, over `Frozen.order`. It grants nothing before `apply`."""

    def check(said: Verified, frozen: Frozen) -> Refused | None:
        return (
            off_order(said, frozen.order)
            or may_approve(said.person, frozen, roster)
            or _has_said_yes(tx.conn, said.person, frozen, roster, now=tx.now)
        )

    return _take(tx, promotion, signed, roster, check=check, act=lambda said, frozen: _yes(tx, said, frozen))


def reject(tx: Tx, promotion: str, signed: SignedStatement, *, roster: Roster) -> Voted | Refused:
    """Take a no (`matter_to_reject`): one is enough, also from who said yes before."""

    def check(said: Verified, frozen: Frozen) -> Refused | None:
        matter = matter_to_reject(frozen.promotion, frozen.basis, reason=reason_of(said))
        return about(said, matter) or may_reject(said.person, frozen, roster)

    def act(said: Verified, frozen: Frozen) -> None:
        steps.write_vote(tx, frozen, said, approves=False)
        _end(tx, said, frozen, PromotionState.REJECTED)

    return _take(tx, promotion, signed, roster, check=check, act=act)


def withdraw(tx: Tx, promotion: str, signed: SignedStatement, *, roster: Roster) -> Voted | Refused:
    """Take a request back (`matter_to_withdraw`), by who made it or a rollout manager."""

    def check(said: Verified, frozen: Frozen) -> Refused | None:
        matter: Matter = matter_to_withdraw(frozen.promotion, frozen.basis, reason=reason_of(said))
        return about(said, matter) or may_withdraw(said.person, frozen, roster)

    return _take(
        tx,
        promotion,
        signed,
        roster,
        check=check,
        act=lambda said, frozen: _end(tx, said, frozen, PromotionState.WITHDRAWN),
    )


def except_from(tx: Tx, promotion: str, signed: SignedStatement, *, roster: Roster) -> Voted | Refused:
    """Take a word for a shorter observation (`matter_to_except`); two persons of two groups make it count."""

    def check(said: Verified, frozen: Frozen) -> Refused | None:
        return may_except(said.person, frozen, roster) or off_exception(said, frozen)

    def act(said: Verified, frozen: Frozen) -> None:
        steps.write_exception(tx, frozen, said, gates_of(said))

    return _take(tx, promotion, signed, roster, check=check, act=act)


def approvals_now(conn: Connection, frozen: Frozen, *, roster: Roster, now: datetime) -> Approvals:
    """Count the approvals of a request from the signed words alone."""
    words = statements_on(conn, frozen.order.id)
    return approvals(frozen, words, reviewers=frozen.reviewers, roster=roster, now=now)


def _take(
    tx: Tx,
    promotion: str,
    signed: SignedStatement,
    roster: Roster,
    *,
    check: _Check,
    act: Callable[[Verified, Frozen], None],
) -> Voted | Refused:
    request = rows.find(tx.conn, promotion)
    said = verify(signed, roster, now=tx.now)
    if isinstance(said, Refused):
        return said
    frozen = request.frozen
    if refused := _is_over(request, tx.now) or check(said, frozen) or consume(tx, said):
        return refused
    act(said, frozen)
    state = rows.find(tx.conn, frozen.promotion).state
    counted = approvals_now(tx.conn, frozen, roster=roster, now=tx.now)
    return Voted(frozen.promotion, said.person, state, counted)


def _is_over(request: Request, now: datetime) -> Refused | None:
    frozen = request.frozen
    if not request.open:
        return Refused(RefusalCode.EXPIRED, f"request {frozen.promotion} is {request.state}")
    if now >= frozen.expires_at:
        return Refused(RefusalCode.EXPIRED, f"request {frozen.promotion} expired at {frozen.expires_at}")
    return None


def _has_said_yes(
    conn: Connection, person: str, frozen: Frozen, roster: Roster, *, now: datetime
) -> Refused | None:
    """Refuse a second yes of the same person (F5), unless the first is too old to count."""
    heard = [recheck(one, roster) for one in statements_on(conn, frozen.order.id)]
    given = [
        said
        for said in heard
        if isinstance(said, Verified) and said.person == person and is_yes(said, frozen)
    ]
    if any(is_fresh(said, roster, now=now) for said in given):
        return Refused(RefusalCode.USED, f"`{person}` has said yes to {frozen.promotion} already")
    return None


def _yes(tx: Tx, said: Verified, frozen: Frozen) -> None:
    steps.write_vote(tx, frozen, said, approves=said.statement.type is StatementType.GRANT)


def _end(tx: Tx, said: Verified, frozen: Frozen, state: PromotionState) -> None:
    steps.end(tx, frozen, state, reason=reason_of(said), actor=said.person)
