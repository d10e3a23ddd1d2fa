"""A request as it was frozen: who wants which class for which deployment, on what evidence.

Its canonical bytes are the truth; their SHA-256, the basis, stands in the grant that approvers sign. So an
edit of the evidence, the target, the profile, the policy or the time voids every approval (F8), and an
approval fits no other agent, class or digest (F9).
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, ValidationError

from profiles.effects import Effect
from profiles.risk import Risk
from rollout.errors import RolloutError
from rollout.evidence.model import Evidence
from rollout.gates.model import GateResult
from runtime.canonical import JsonValue as Json
from runtime.canonical import canonical, parse_canonical
from runtime.errors import CanonicalError
from runtime.grant_rules import Order
from runtime.moments import utc_moment, utc_text
from runtime.people.statement import Digest, Moment, Word

FORMAT: Final = "handrail-promotion-1"
_MILDER = frozenset(risk.label for risk in Risk if risk is not Risk.CRITICAL)


class PromotionError(RolloutError):
    """A request that does not exist, or is not the one that was recorded."""


def _effect(value: object) -> object:
    return Effect(value) if isinstance(value, str) else value


class Frozen(BaseModel):
    """What was frozen, and so what approvers sign.

    Attributes:
        promotion: the request's id.
        agent: whose deployment it is.
        deployment: the deployment's digest.
        effect: the class that is asked for.
        requester: who asks, as the policy names them.
        owner: who owns the agent.
        reason: why, in the requester's words.
        grant: the id of the grant that it would issue.
        valid_from: when that grant begins, which is when the evidence was frozen.
        valid_until: when that grant ends.
        expires_at: when the request itself ends.
        entries: how many entries the record held when the evidence was frozen.
        evidence: everything that the review gates looked at, with policy, profile and thresholds.
        gates: what each gate said then; they are asked again when the promotion is applied.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["handrail-promotion-1"] = FORMAT
    promotion: Word
    agent: Word
    deployment: Digest
    effect: Annotated[Effect, BeforeValidator(_effect)]
    requester: Word
    owner: Word
    reason: str
    grant: Word
    valid_from: Moment
    valid_until: Moment
    expires_at: Moment
    entries: int
    evidence: dict[str, JsonValue]
    gates: list[JsonValue]

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which the basis is over."""
        return canonical(cast("Json", self.model_dump()))

    @property
    def basis(self) -> str:
        """SHA-256 in hex over the canonical bytes."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def order(self) -> Order:
        """The grant that this request is for; a statement over its matter is an approval."""
        return Order(
            id=self.grant,
            deployment=self.deployment,
            effect=self.effect,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            requester=self.requester,
            owner=self.owner,
            basis=self.basis,
        )

    @property
    def policy(self) -> str:
        """Digest of the policy version whose thresholds it was measured by."""
        return self._text("policy")

    @property
    def profile(self) -> str:
        """Digest of the profile."""
        return self._text("profile")

    @property
    def sample(self) -> str:
        """Digest of the judged items."""
        return self._text("sample", "digest")

    @property
    def agreement(self) -> float:
        """The agreement that the policy asked for."""
        return float(self._text("threshold", "agreement"))

    @property
    def since(self) -> datetime:
        """When the window of the evidence began."""
        return utc_moment(self._text("counted_since"))

    @property
    def reviewers(self) -> tuple[str, ...]:
        """Who judged the items."""
        found = self._part("sample").get("reviewers")
        return tuple(str(name) for name in found) if isinstance(found, Sequence) else ()

    @property
    def critical(self) -> bool:
        """Whether nothing can be excepted: the agent's risk, or the class itself, is critical."""
        return self.effect is Effect.CRITICAL or self._text("risk") not in _MILDER

    def _part(self, name: str) -> Mapping[str, JsonValue]:
        part = self.evidence.get(name)
        if not isinstance(part, dict):
            raise PromotionError(f"promotion {self.promotion}: its evidence has no `{name}`")
        return part

    def _text(self, *path: str) -> str:
        found = (self._part(path[0]) if len(path) > 1 else self.evidence).get(path[-1])
        if not isinstance(found, str):
            raise PromotionError(f"promotion {self.promotion}: its evidence has no `{'.'.join(path)}`")
        return found


def freeze(
    evidence: Evidence,
    gates: Sequence[GateResult],
    *,
    promotion: str,
    grant: str,
    requester: str,
    reason: str,
    valid_until: datetime,
    expires_at: datetime,
    entries: int,
) -> Frozen:
    """Freeze evidence into a request; the grant begins at the moment of the evidence."""
    return Frozen(
        promotion=promotion,
        agent=evidence.agent,
        deployment=evidence.deployment,
        effect=evidence.effect,
        requester=requester,
        owner=evidence.owner,
        reason=reason,
        grant=grant,
        valid_from=evidence.at,
        valid_until=valid_until,
        expires_at=expires_at,
        entries=entries,
        evidence=cast("dict[str, JsonValue]", evidence.as_json()),
        gates=[cast("JsonValue", gate_json(gate)) for gate in gates],
    )


def thaw(data: bytes) -> Frozen:
    """Read the bytes of a request.

    Raises:
        PromotionError: they are not the one canonical spelling of a request.
    """
    try:
        found = Frozen.model_validate(parse_canonical(data))
    except (CanonicalError, ValidationError) as error:
        raise PromotionError(f"stored bytes are no promotion: {error}") from error
    if found.to_bytes() != data:
        raise PromotionError(f"promotion {found.promotion}: its stored bytes are not canonical")
    return found


def gate_json(gate: GateResult) -> dict[str, Json]:
    """Return one gate's answer as plain JSON."""
    return {
        "gate": gate.gate.value,
        "outcome": gate.outcome.value,
        "there": gate.there,
        "missing": list(gate.missing),
        "earliest": None if gate.earliest is None else utc_text(gate.earliest),
        "excepted": gate.excepted,
    }
