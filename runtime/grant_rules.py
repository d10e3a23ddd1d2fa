"""When a grant is believed, and what tier the grants of a deployment make. Pure.

The check is cached by the exact bytes that were read and the roster; a changed byte is another key.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from profiles.effects import Effect, Tier
from profiles.policy import Policy, Quorum, Role
from runtime.canonical import JsonValue
from runtime.people.quorum import Short, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, recheck
from runtime.people.statement import Matter, SignedStatement, StatementType
from runtime.tables.types import utc_moment, utc_text

MAXIMUM_LIFE: Final = timedelta(days=35)

_READ_QUORUM = Quorum(count=1, roles=(Role.OPERATOR,))

Fields = tuple[str, str, str, str, str, str, str]
"""A grant row as it is read: id, deployment, effect, begin, end, requester, owner."""
Cause = tuple[bytes, str]
"""A statement as it is read: its bytes and its signature."""


@dataclass(frozen=True, slots=True)
class Order:
    """A grant as it is asked for and signed.

    Attributes:
        id: made for this grant; a grant that was revoked cannot come back under another id.
        deployment: the deployment's digest.
        effect: the one effect class it permits.
        valid_from: when it begins.
        valid_until: when it ends.
        requester: who asked for it: a person or an account.
        owner: who owns the agent.
    """

    id: str
    deployment: str
    effect: Effect
    valid_from: datetime
    valid_until: datetime
    requester: str
    owner: str

    def matter(self, type_: StatementType = StatementType.GRANT) -> Matter:
        """Return what is signed; `deploy` as the type also creates the deployment, for `read` only."""
        body: dict[str, JsonValue] = {
            "deployment": self.deployment,
            "effect": self.effect.value,
            "valid_from": utc_text(self.valid_from),
            "valid_until": utc_text(self.valid_until),
            "requester": self.requester,
            "owner": self.owner,
        }
        return Matter(type_, self.id, self.deployment, body)


def effective_tier(effects: Collection[Effect], used: Collection[Effect]) -> Tier | None:
    """Return the tier of a deployment: its highest class with every lower class that it uses granted too.

    Args:
        effects: the classes granted now.
        used: the classes that its profile uses.

    Returns:
        None where not even reading is granted: then everything is denied.
    """
    if Effect.READ not in effects:
        return None
    tier = Tier.OBSERVE
    for effect in Effect:
        if effect in effects:
            tier = effect.tier
        elif effect in used:
            break
    return tier


def quorum_for(policy: Policy, effect: Effect) -> Quorum | None:
    """Return who must sign a grant of this class; None where the policy does not say, so nobody can."""
    return _READ_QUORUM if effect is Effect.READ else policy.promotions.get(effect)


@lru_cache(maxsize=4096)
def fault(fields: Fields, causes: tuple[Cause, ...], roster: Roster) -> Refused | None:
    """Return why a grant's causes do not carry it. Pure: rows as read, and the roster, decide alone."""
    try:
        order = _order(fields)
    except ValueError as error:
        return Refused(RefusalCode.MALFORMED, str(error))
    said = [recheck(SignedStatement(body, signature), roster) for body, signature in causes]
    voices = {one.person: one for one in said if isinstance(one, Verified) and not off_order(one, order)}
    return short_of(order, voices, roster)


def off_order(said: Verified, order: Order) -> Refused | None:
    """Return why this word is not about this grant; None if it is."""
    deploys = said.statement.type is StatementType.DEPLOY and order.effect is Effect.READ
    return about(said, order.matter(StatementType.DEPLOY if deploys else StatementType.GRANT))


def short_of(order: Order, voices: Collection[str], roster: Roster) -> Refused | None:
    """Return why these persons cannot give this grant."""
    life = order.valid_until - order.valid_from
    if not timedelta(0) < life <= MAXIMUM_LIFE:
        return Refused(RefusalCode.NOT_PERMITTED, f"lasts {life}: expected at most {MAXIMUM_LIFE.days} days")
    quorum = quorum_for(roster.policy, order.effect)
    if quorum is None:
        return Refused(RefusalCode.NOT_PERMITTED, f"the policy names nobody who may grant {order.effect}")
    excluded = () if order.effect is Effect.READ else (order.requester, order.owner)
    met = check_quorum(quorum, voices, roster, excluded=excluded)
    if isinstance(met, Short):
        return Refused(RefusalCode.NOT_PERMITTED, f"{order.effect} lacks {'; '.join(met.missing)}")
    return None


def _order(fields: Fields) -> Order:
    id_, deployment, effect, begin, end, requester, owner = fields
    return Order(id_, deployment, Effect(effect), utc_moment(begin), utc_moment(end), requester, owner)
