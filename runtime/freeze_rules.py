"""What a freeze is, and when its row and its lift are believed. Pure; `runtime.freeze` reads and writes."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from profiles.policy import Role
from runtime.canonical import JsonValue
from runtime.gate.actions import digest_of
from runtime.moments import utc_moment, utc_text
from runtime.people.roster import RefusalCode, Refused, Roster, Verified, about, authentic, recheck
from runtime.people.statement import Matter, SignedStatement, Statement, StatementType

MAXIMUM_LIFE: Final = timedelta(days=90)
"""How long a person's freeze may last."""


class Scope(StrEnum):
    """What a freeze stops."""

    ALL = "all"
    AGENT = "agent"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Freeze:
    """A stop as it is asked for.

    Attributes:
        id: made for this stop.
        scope: everything, one agent, or one deployment.
        target: the agent's name or the deployment's digest; `all` for everything.
        reason: why, for people.
        expires_at: when it ends by itself; None for a stop that Handrail sets, which only a lift ends.
    """

    id: str
    scope: Scope
    target: str
    reason: str
    expires_at: datetime | None = None

    @property
    def matter(self) -> Matter:
        """What is signed to set it."""
        expires = None if self.expires_at is None else utc_text(self.expires_at)
        body: dict[str, JsonValue] = {
            "scope": self.scope.value,
            "target": self.target,
            "reason": self.reason,
            "expires_at": expires,
        }
        return Matter(StatementType.FREEZE, self.id, digest_of(body), body)


@dataclass(frozen=True, slots=True)
class Stop:
    """A freeze that stands now.

    Attributes:
        id: its id; empty for one that lost its row.
        scope: what it stops.
        target: which agent or deployment.
        reason: why, for people.
        owner: who set it.
        expires_at: when it ends by itself; None if it does not.
        problem: what is wrong with its row, for `doctor`; None if nothing is.
    """

    id: str
    scope: str
    target: str
    reason: str
    owner: str
    expires_at: datetime | None = None
    problem: str | None = None

    def stops(self, agent: str, deployment: str) -> bool:
        """Whether it stops this agent's deployment; an unknown scope stops everything."""
        targets = {Scope.AGENT.value: agent, Scope.DEPLOYMENT.value: deployment}
        return self.scope not in targets or targets[self.scope] == self.target


def matter_to_unfreeze(freeze_id: str, *, reason: str) -> Matter:
    """Return what is signed to lift a freeze."""
    body: dict[str, JsonValue] = {"freeze": freeze_id, "reason": reason}
    return Matter(StatementType.UNFREEZE, freeze_id, digest_of(body), body)


@lru_cache(maxsize=1024)
def read_row(row: tuple[Any, ...], roster: Roster) -> Stop:
    """Return the stop of a row, as it was signed if it was. Pure."""
    id_, scope, target, reason, owner, body, signature = row
    unproved = Stop(id_, scope, target, reason, owner, None)
    if body is None:
        return unproved
    said = authentic(SignedStatement(body, signature), roster)
    if isinstance(said, Refused):
        return replace(unproved, problem=f"its statement does not hold: {said.detail}")
    signed = _as_signed(said)
    if signed is None or said.subject != id_:
        return replace(unproved, problem="its statement is about something else")
    same = (signed.scope.value, signed.target, signed.reason) == (scope, target, reason)
    problem = None if same else "its row was changed: what was signed counts"
    return Stop(
        id_, signed.scope.value, signed.target, signed.reason, said.person, signed.expires_at, problem
    )


@lru_cache(maxsize=1024)
def lifts(freeze_id: str, body: bytes, signature: str, roster: Roster) -> bool:
    """Whether an operator who counts now signed the lift of this freeze. Pure."""
    said = recheck(SignedStatement(body, signature), roster)
    return (
        isinstance(said, Verified) and said.statement.subject == freeze_id and may_lift(said, roster) is None
    )


def may_lift(said: Verified, roster: Roster) -> Refused | None:
    """Return why this word lifts nothing; None if it lifts the freeze it names."""
    reason = said.statement.body.get("reason")
    matter = matter_to_unfreeze(said.statement.subject, reason=reason if isinstance(reason, str) else "")
    if refused := about(said, matter):
        return refused
    if Role.OPERATOR not in roster.roles_of(said.person):
        return Refused(RefusalCode.NOT_PERMITTED, f"lifting a freeze takes the role {Role.OPERATOR}")
    return None


def _as_signed(said: Statement) -> Freeze | None:
    """Return the freeze that a statement sets; None if it does not set one."""
    try:
        order = Freeze(
            said.subject,
            Scope(str(said.body["scope"])),
            str(said.body["target"]),
            str(said.body["reason"]),
            utc_moment(str(said.body["expires_at"])),
        )
    except (KeyError, ValueError):
        return None
    matter = order.matter
    return order if (said.type, said.digest) == (matter.type, matter.digest) else None


def unending(order: Freeze, now: datetime) -> Refused | None:
    """Return why a person cannot set this freeze: it must end, and not too late."""
    if order.expires_at is None or not now < order.expires_at <= now + MAXIMUM_LIFE:
        detail = f"a freeze needs an end within {MAXIMUM_LIFE.days} days, got {order.expires_at}"
        return Refused(RefusalCode.NOT_PERMITTED, detail)
    return None
