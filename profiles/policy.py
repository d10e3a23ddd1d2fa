"""The organisation's policy: who people are, what they may decide, and how much evidence it takes.

A profile may narrow it and never widen it. It is changed only by two persons, so nothing here has a value
that would let one person do so. A role that nobody holds can do nothing.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from profiles.base import Name, Strict
from profiles.effects import Effect
from profiles.limits import Limits
from profiles.never import NeverRule
from profiles.upstreams import Money, Tokens

PublicKey = Annotated[
    str,
    Field(
        max_length=1024,
        pattern=r"^(ssh-ed25519|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/]{60,}={0,2}( [^\x00-\x1f\x7f]*)?$",
        description="a line of a .pub file that begins with ssh-ed25519 or sk-ssh-ed25519@openssh.com",
    ),
]
"""One line of an OpenSSH public key file (RFC 4253 section 6.6, RFC 8709)."""

Identity = Annotated[
    str,
    Field(
        min_length=1,
        max_length=320,
        pattern=r"^[^\s\x00-\x1f\x7f]+$",
        description="an account without spaces, such as unix:alice",
    ),
]
"""Another account of the same person, as `kind:name`; two accounts are never two persons (F7)."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"got {name!r}, expected a time zone such as Europe/Berlin") from error
    return name


TimeZone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_known_zone)]


class Role(StrEnum):
    """What a person may decide."""

    OPERATOR = "operator"
    ROLLOUT_MANAGER = "rollout-manager"
    REVIEWER = "reviewer"
    DOMAIN_REVIEWER = "domain-reviewer"
    SECURITY = "security"
    AUDITOR = "auditor"
    LEADERSHIP = "leadership"
    POLICY = "policy"


class Person(Strict):
    """One human. A revoked person keeps the name, so that nobody else can take it, and holds no role."""

    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1, max_length=16)]
    groups: tuple[Name, ...] = ()
    identities: tuple[Identity, ...] = ()
    revoked: bool = False


class RoleHolders(Strict):
    """Who holds a role: the people named and everyone in the groups named."""

    people: tuple[Name, ...] = ()
    groups: tuple[Name, ...] = ()


class Quorum(Strict):
    """How many different persons must sign, and who.

    Attributes:
        count: Different persons, never the requester.
        roles: Each signer holds at least one of these.
        each_of: For each of these, at least one signer holds it.
        groups: Different groups the signers belong to.
        acknowledged_by: A role of which one person, also beyond the count, acknowledges.
    """

    count: Annotated[int, Field(ge=1, le=16)]
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    each_of: tuple[Role, ...] = ()
    groups: Annotated[int, Field(ge=1, le=16)] = 1
    acknowledged_by: Role | None = None

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if strange := [role.value for role in self.each_of if role not in self.roles]:
            raise ValueError(f"each_of: got {', '.join(strange)}, expected only roles listed under roles")
        if self.groups > self.count:
            raise ValueError(f"groups: got {self.groups}, expected at most count ({self.count})")
        return self


class Threshold(Strict):
    """What a deployment must have shown before a tier opens.

    Attributes:
        agreement: p0, the agreement rate that the evidence must exceed.
        observed_days: Days observed at the tier below.
        total_days: Days observed in total.
        decide_by_days: Days after which a human must decide: extend, narrow or retire.
    """

    agreement: Annotated[float, Field(ge=0.8, lt=1)]
    observed_days: Annotated[int, Field(ge=7, le=365)]
    total_days: Annotated[int, Field(ge=0, le=365)] = 0
    decide_by_days: Annotated[int, Field(ge=7, le=365)] = 28


class Expiry(Strict):
    """How long a word holds.

    Attributes:
        hold_seconds: Life of a held action's approval.
        token_seconds: Life of the token for one critical action, at most 15 minutes.
        promotion_hours: Age at which an approval of a promotion no longer counts (G12).
    """

    hold_seconds: Annotated[int, Field(ge=10, le=86_400)] = 900
    token_seconds: Annotated[int, Field(ge=1, le=900)] = 120
    promotion_hours: Annotated[int, Field(ge=1, le=72)] = 72


class EvidenceRules(Strict):
    """What counts as evidence.

    Attributes:
        draw_all_up_to: Items of one class in one draw up to which all are drawn; of more, this many.
        blind_share: Share of the drawn suggestions that a reviewer decides about before seeing the proposal.
        executed_share: Share of the executed writes that is drawn for people to look at, never less than one.
        distinct_days: Days on which judged items must have happened (G2).
        confirm_hours: Hours in which a second reviewer may contradict a `harmful` verdict.
        cool_down_days: Days after a demotion in which nothing can be promoted.
        rollback_days: Days in which a deployment can be returned to with its grants.
        proof_days: Age at which a proof of context isolation no longer counts (G9).
    """

    draw_all_up_to: Annotated[int, Field(ge=20, le=10_000)] = 200
    blind_share: Annotated[float, Field(ge=0.1, le=1)] = 0.2
    executed_share: Annotated[float, Field(ge=0.01, le=1)] = 0.1
    distinct_days: Annotated[int, Field(ge=10, le=365)] = 10
    confirm_hours: Annotated[int, Field(ge=1, le=24)] = 24
    cool_down_days: Annotated[int, Field(ge=14, le=365)] = 14
    rollback_days: Annotated[int, Field(ge=0, le=14)] = 14
    proof_days: Annotated[int, Field(ge=1, le=90)] = 30


class ReviewRules(Strict):
    """Who closes reviews, and how long they may take.

    Attributes:
        close: Who must sign to close a review; never the agent's owner.
        grace_hours: Hours after a review was due for which grants still last.
        specification_days: Days between two reviews of the profile itself (R-42).
        evaluation_days: Days between two evaluations of a live agent (R-72).
    """

    close: Quorum = Quorum(count=1, roles=(Role.ROLLOUT_MANAGER, Role.DOMAIN_REVIEWER, Role.SECURITY))
    grace_hours: Annotated[int, Field(ge=0, le=48)] = 48
    specification_days: Annotated[int, Field(ge=7, le=92)] = 90
    evaluation_days: Annotated[int, Field(ge=7, le=92)] = 90


class AlertRules(Strict):
    """When a deviation is everybody's business.

    Attributes:
        review_hours: Hours after its first occurrence in which an alert must be reviewed (R-27).
        pattern_count: Occurrences of one pattern that open an incident (R-52).
        pattern_days: Days in which they are counted.
        heartbeat_hours: Hours without a heartbeat after which writes are suspended.
    """

    review_hours: Annotated[int, Field(ge=1, le=24)] = 24
    pattern_count: Annotated[int, Field(ge=2, le=3)] = 3
    pattern_days: Annotated[int, Field(ge=30, le=365)] = 30
    heartbeat_hours: Annotated[int, Field(ge=1, le=2)] = 2


class Ceiling(Strict):
    """The most that a profile may ask for.

    Attributes:
        model_calls: Model calls of one run; 0 permits no model.
        model_tokens: Tokens of one run's model calls.
        model_tokens_per_day: Tokens of one agent's model calls in a day.
        model_cost: Cost of one run's model calls; where it is set, a model without a price is not permitted.
        model_cost_per_day: The same for one agent's day.
        volume_mib: Size of one volume of an upstream in MiB.
    """

    effects: tuple[Effect, ...]
    hold_above_tier: tuple[Effect, ...] = ()
    host_upstreams: tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}/[a-z0-9-]{1,63}$")], ...] = ()
    limits: Limits = Limits()
    model_calls: Annotated[int, Field(ge=0, le=100_000)] = 200
    model_tokens: Tokens = 2_000_000
    model_tokens_per_day: Tokens = 20_000_000
    model_cost: Money | None = None
    model_cost_per_day: Money | None = None
    volume_mib: Annotated[int, Field(ge=16, le=1_048_576)] = 1024


class Policy(Strict):
    """The whole policy. Build it with `profiles.load`, which also checks across its parts.

    Attributes:
        holds: Who must approve one held action, by its effect.
        promotions: Who must approve a grant, by the effect class it opens (draft opens tier 1, and so on).
        thresholds: What must have been shown before a grant, by the effect class it opens.
        policy_change: Who must sign a change of this file; always two persons or more.
        time_zone: The organisation's own, as IANA names it; only "the same day" is reckoned in it (F24).
        never: The organisation's own never-list, added to that of every profile.
    """

    policy: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    people: Mapping[Name, Person] = {}
    roles: Mapping[Role, RoleHolders] = {}
    holds: Mapping[Effect, Quorum]
    promotions: Mapping[Effect, Quorum]
    thresholds: Mapping[Effect, Threshold]
    policy_change: Quorum
    expiry: Expiry = Expiry()
    evidence: EvidenceRules = EvidenceRules()
    reviews: ReviewRules = ReviewRules()
    alerts: AlertRules = AlertRules()
    time_zone: TimeZone = "UTC"
    ceiling: Ceiling
    never: tuple[NeverRule, ...] = ()

    def groups_of(self, person: str) -> frozenset[str]:
        """The groups of an enrolled person who is not revoked; none for anyone else."""
        entry = self.people.get(person)
        return frozenset(entry.groups) if entry and not entry.revoked else frozenset()

    def roles_of(self, person: str) -> frozenset[Role]:
        """The roles of an enrolled person who is not revoked; none for anyone else."""
        entry = self.people.get(person)
        if entry is None or entry.revoked:
            return frozenset()
        return frozenset(
            role
            for role, holders in self.roles.items()
            if person in holders.people or set(entry.groups) & set(holders.groups)
        )

    def holders_of(self, role: Role) -> frozenset[str]:
        """The names of everyone who holds a role now."""
        return frozenset(name for name in self.people if role in self.roles_of(name))
