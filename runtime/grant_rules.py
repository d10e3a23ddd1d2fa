"""A grant as it is asked for, who may give it, and what tier the grants of a deployment make. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from profiles.effects import Effect, Tier
from profiles.policy import Policy, Quorum, Role
from runtime.canonical import JsonValue
from runtime.moments import utc_text
from runtime.people.quorum import Short, check_quorum
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about
from runtime.people.statement import Matter, StatementType

MAXIMUM_LIFE: Final = timedelta(days=35)
REPLACED: Final = "superseded"
"""Why a grant was revoked that a return to its deployment could give back."""

_READ_QUORUM = Quorum(count=1, roles=(Role.OPERATOR,))


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
        basis: digest of the frozen evidence that its signers saw; None where there is none.
        restores: the earlier grant of a deployment that is returned to; None for any other.
    """

    id: str
    deployment: str
    effect: Effect
    valid_from: datetime
    valid_until: datetime
    requester: str
    owner: str
    basis: str | None = None
    restores: str | None = None

    def matter(self, type_: StatementType = StatementType.GRANT, *, reason: str | None = None) -> Matter:
        """Return what is signed.

        Args:
            type_: `deploy` also creates the deployment, for `read` only; `rollback` restores.
            reason: why, where the type asks for it.
        """
        extra = {"basis": self.basis, "restores": self.restores, "reason": reason}
        body: dict[str, JsonValue] = {
            "deployment": self.deployment,
            "effect": self.effect.value,
            "valid_from": utc_text(self.valid_from),
            "valid_until": utc_text(self.valid_until),
            "requester": self.requester,
            "owner": self.owner,
            **{name: value for name, value in extra.items() if value is not None},
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


def off_order(said: Verified, order: Order) -> Refused | None:
    """Return why this word is not about this grant; None if it is."""
    deploys = said.statement.type is StatementType.DEPLOY and order.effect is Effect.READ
    return about(said, order.matter(StatementType.DEPLOY if deploys else StatementType.GRANT))


def short_of(order: Order, voices: Collection[str], roster: Roster) -> Refused | None:
    """Return why these persons cannot give this grant."""
    if refused := off_life(order):
        return refused
    quorum = quorum_for(roster.policy, order.effect)
    if quorum is None:
        return Refused(RefusalCode.NOT_PERMITTED, f"the policy names nobody who may grant {order.effect}")
    excluded = () if order.effect is Effect.READ else (order.requester, order.owner)
    met = check_quorum(quorum, voices, roster, excluded=excluded)
    if isinstance(met, Short):
        return Refused(RefusalCode.NOT_PERMITTED, f"{order.effect} lacks {'; '.join(met.missing)}")
    return None


def off_life(order: Order) -> Refused | None:
    """Return why nobody could give a grant of this length; None if it ends soon enough (R-81)."""
    life = order.valid_until - order.valid_from
    if not timedelta(0) < life <= MAXIMUM_LIFE:
        return Refused(RefusalCode.NOT_PERMITTED, f"lasts {life}: expected at most {MAXIMUM_LIFE.days} days")
    return None
