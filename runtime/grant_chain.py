"""When a grant is believed: until when its signed words carry it. Pure.

    GRANT (enough persons, one end) -> REVIEW (a later end) -> REVIEW (a later end) ...
    ROLLBACK (one rollout manager) over the words of the earlier grant that it restores -> REVIEW ...

Each step begins exactly where the one before ends. The row's own end counts for nothing unless the chain
arrives there: a row whose end was moved by hand permits nothing. The check is cached by the exact bytes that
were read and the roster; a changed byte is another key.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from profiles.effects import Effect
from profiles.policy import Role
from runtime.canonical import JsonValue
from runtime.grant_rules import MAXIMUM_LIFE, Order, off_life, off_order, short_of
from runtime.moments import utc_moment, utc_text
from runtime.people.quorum import Met, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck
from runtime.people.statement import CLOCK_SKEW, SignedStatement, Statement, StatementType

RENEWS: Final = "renews"
"""The field of a review's body that lists the grants it renews, each with `grant`, `from` and `until`."""

Fields = tuple[str, str, str, str, str, str, str, str | None, str | None]
"""A grant row: id, deployment, effect, begin, end, requester, owner, basis, the grant that it restores."""
Cause = tuple[bytes, str]
"""A statement as it is read: its bytes and its signature."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """One grant's next end, as a review's body names it."""

    grant: str
    begin: datetime
    until: datetime

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as it stands in the body."""
        return {"grant": self.grant, "from": utc_text(self.begin), "until": utc_text(self.until)}


@lru_cache(maxsize=4096)
def fault(fields: Fields, causes: tuple[Cause, ...], roster: Roster) -> Refused | None:
    """Return why a grant's causes do not carry it. Pure: rows as read, and the roster, decide alone."""
    try:
        row = _order(fields)
    except ValueError as error:
        return Refused(RefusalCode.MALFORMED, str(error))
    heard = [recheck(SignedStatement(body, signature), roster) for body, signature in causes]
    end = carried_until(row, [said for said in heard if isinstance(said, Verified)], roster)
    if isinstance(end, Refused):
        return end
    if end != row.valid_until:
        moved = f"its row ends at {utc_text(row.valid_until)}, its signed words at {utc_text(end)}"
        return Refused(RefusalCode.OTHER_MATTER, moved)
    return None


def carried_until(order: Order, said: Sequence[Verified], roster: Roster) -> datetime | Refused:
    """Return the end to which signed words carry a grant, whatever end the order itself names."""
    first = _granted(order, said, roster) if order.restores is None else _restored(order, said, roster)
    return first if isinstance(first, Refused) else _renewed(order, first, said, roster)


def renewals_in(statement: Statement) -> tuple[Renewal, ...]:
    """Return the grants that a review renews; what has another shape renews nothing."""
    listed = statement.body.get(RENEWS) if statement.type is StatementType.REVIEW else None
    read = map(_renewal, listed) if isinstance(listed, list) else ()
    return tuple(renewal for renewal in read if renewal is not None)


def off_renewal(
    renewal: Renewal, order: Order, words: Collection[Verified], roster: Roster
) -> Refused | None:
    """Return why these words do not move a grant's end; None if they do.

    What has ended is not renewed: it takes the whole way again. Only `read` is, at any time, because without
    it a deployment could not be looked at.

    Args:
        renewal: the next end.
        order: the grant.
        words: reviews that list it, of the same thing.
        roster: who counts now.
    """
    latest = min((said.statement.at for said in words), default=renewal.begin) + MAXIMUM_LIFE
    if not renewal.begin < renewal.until <= latest:
        detail = f"a renewal ends later than before, and at most {MAXIMUM_LIFE.days} days after its words"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    in_time = {said.person for said in words if _in_time(said, renewal, order)}
    met = check_quorum(roster.policy.reviews.close, in_time, roster, excluded=(order.requester, order.owner))
    if isinstance(met, Met):
        return None
    detail = f"renewing {order.effect} lacks {'; '.join(met.missing)}"
    return Refused(RefusalCode.NOT_PERMITTED, detail)


def off_restore(said: Verified, order: Order, roster: Roster) -> Refused | None:
    """Return why this word does not restore a grant; None if it does."""
    reason = said.statement.body.get("reason")
    matter = order.matter(StatementType.ROLLBACK, reason=reason if isinstance(reason, str) else None)
    if refused := about(said, matter) or off_life(order):
        return refused
    barred = {roster.person_of(name) for name in (order.requester, order.owner)}
    if said.person in barred or Role.ROLLOUT_MANAGER not in roster.roles_of(said.person):
        detail = f"restoring takes a {Role.ROLLOUT_MANAGER} who neither asked for it nor owns the agent"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None


def _granted(order: Order, said: Sequence[Verified], roster: Roster) -> datetime | Refused:
    """Return the end that enough persons signed."""
    refused = short_of(order, (), roster) or Refused(RefusalCode.MISSING, "nobody signed it")
    for end in _ends(order.id, said, (StatementType.GRANT, StatementType.DEPLOY)):
        asked = replace(order, valid_until=end)
        short = short_of(asked, {one.person for one in said if off_order(one, asked) is None}, roster)
        if short is None:
            return end
        refused = short
    return refused


def _restored(order: Order, said: Sequence[Verified], roster: Roster) -> datetime | Refused:
    """Return the end that a rollout manager signed, at most that of the grant which is restored."""
    earlier = _earlier(order, said)
    limit = None if earlier is None else carried_until(earlier, said, roster)
    if limit is None or isinstance(limit, Refused):
        return limit or Refused(RefusalCode.MISSING, "no signed word is about the grant that it restores")
    ends = _ends(order.id, said, (StatementType.ROLLBACK,))
    orders = [replace(order, valid_until=end) for end in ends if end <= limit]
    others = [one for one in said if earlier and one.person != roster.person_of(earlier.owner)]
    for asked in orders:
        if any(off_restore(one, asked, roster) is None for one in others):
            return asked.valid_until
    return Refused(RefusalCode.NOT_PERMITTED, "no rollout manager restored it within its earlier time")


def _earlier(order: Order, said: Sequence[Verified]) -> Order | None:
    """Return the grant that is restored, as it was signed."""
    for one in said:
        asked = _as_signed(one.statement)
        if asked and (asked.id, asked.deployment, asked.effect) == (
            order.restores,
            order.deployment,
            order.effect,
        ):
            return asked
    return None


def _renewed(order: Order, first: datetime, said: Sequence[Verified], roster: Roster) -> datetime:
    """Return the last end that reviews lead to, step by step."""
    steps: dict[tuple[str, Renewal], list[Verified]] = {}
    for one in said:
        for renewal in renewals_in(one.statement):
            steps.setdefault((one.statement.subject, renewal), []).append(one)
    end = first
    while found := [
        renewal.until
        for (_, renewal), words in steps.items()
        if (renewal.grant, renewal.begin) == (order.id, end)
        and off_renewal(renewal, order, words, roster) is None
    ]:
        end = max(found)
    return end


def _in_time(said: Verified, renewal: Renewal, order: Order) -> bool:
    return order.effect is Effect.READ or said.statement.at < renewal.begin + CLOCK_SKEW


def _ends(grant: str, said: Sequence[Verified], types: Collection[StatementType]) -> Iterator[datetime]:
    for one in said:
        statement = one.statement
        end = _moment(statement.body.get("valid_until"))
        if statement.subject == grant and statement.type in types and end is not None:
            yield end


def _as_signed(statement: Statement) -> Order | None:
    """Return the grant that a statement is about; None if it is about none."""
    if statement.type is not StatementType.GRANT:
        return None
    body = {**statement.body, "basis": statement.body.get("basis")}
    names = ("deployment", "effect", "valid_from", "valid_until", "requester", "owner", "basis")
    try:
        return _order((statement.subject, *(body[name] for name in names), None))  # type: ignore[arg-type]  # anything else raises
    except (KeyError, TypeError, ValueError):
        return None


def _renewal(listed: object) -> Renewal | None:
    if not isinstance(listed, Mapping) or listed.keys() != {"grant", "from", "until"}:
        return None
    begin, until = _moment(listed["from"]), _moment(listed["until"])
    return Renewal(str(listed["grant"]), begin, until) if begin and until else None


def _moment(text: object) -> datetime | None:
    try:
        return utc_moment(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _order(fields: Fields) -> Order:
    id_, deployment, effect, begin, end, requester, owner, basis, restores = fields
    moments = (utc_moment(begin), utc_moment(end))
    return Order(id_, deployment, Effect(effect), *moments, requester, owner, basis, restores)
