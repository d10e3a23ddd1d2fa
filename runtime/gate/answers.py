"""What a check can say, and how several answers become one decision.

Rules of this module:
- answers are ordered `allow < hold < suggest < deny`; a joined decision is the strictest answer;
- no verdict at all is a deny: silence never permits;
- every answer but allow carries at least one reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache


class Answer(StrEnum):
    """The four things that can happen to an action, mildest first."""

    ALLOW = "allow"
    HOLD = "hold"
    SUGGEST = "suggest"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """Position in the order of strictness, 0 for allow."""
        return _RANKS[self]


class ReasonCode(StrEnum):
    """Every cause for which an action is not simply allowed. For people and the record, never for agents."""

    RUN_NOT_LIVE = "run_not_live"
    NOT_ATTESTED = "not_attested"
    DEPLOYMENT_CHANGED = "deployment_changed"
    FROZEN = "frozen"
    NO_LEASE = "no_lease"
    LEASE_EXPIRED = "lease_expired"
    LEASE_SPENT = "lease_spent"
    UNKNOWN_TOOL = "unknown_tool"
    NOT_PERMITTED_REQUEST = "not_permitted_request"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    BUDGET = "budget"
    FAN_OUT = "fan_out"
    AMOUNT = "amount"
    ABOVE_TIER = "above_tier"
    TWO_PERSONS = "two_persons"
    NO_GRANT = "no_grant"
    NEVER = "never"
    SELF_PRESERVATION = "self_preservation"
    RULE_ERROR = "rule_error"
    CHECK_ERROR = "check_error"
    FIRST_SEEN = "first_seen"
    UNKNOWN_SHAPE = "unknown_shape"
    SENSITIVE = "sensitive"
    STATUS_TEXT = "status_text"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RECORD_UNAVAILABLE = "record_unavailable"


@dataclass(frozen=True)
class Reason:
    """Why: a code from the closed set, what it concerns, and the rule that said so where there is one.

    Attributes:
        code: the cause.
        detail: one short sentence for people; may quote agent text, so it is escaped where it is shown.
        rule: id of the profile's or policy's rule, if a rule decided.
        key: stable identity of what is unusual, such as `recipient:a@b.example`; an approval clears
            (code, key) pairs, so a new unusual thing holds again.
    """

    code: ReasonCode
    detail: str
    rule: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Verdict:
    """One check's answer."""

    check: str
    answer: Answer
    reasons: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        if self.answer is not Answer.ALLOW and not self.reasons:
            raise ValueError(f"check `{self.check}` answered {self.answer} without a reason")


@dataclass(frozen=True)
class Decision:
    """The joined answer of all checks, with every verdict kept for the record (R-79)."""

    answer: Answer
    verdicts: tuple[Verdict, ...]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """All reasons of the verdicts that are not allow, strictest first."""
        strict = sorted(self.verdicts, key=lambda v: -v.answer.rank)
        return tuple(reason for v in strict if v.answer is not Answer.ALLOW for reason in v.reasons)

    @property
    def rules(self) -> tuple[str, ...]:
        """Ids of the rules that took part, in the order of `reasons`, without repeats."""
        return tuple(dict.fromkeys(r.rule for r in self.reasons if r.rule is not None))


@cache
def allow(check: str) -> Verdict:
    """Return the only kind of verdict that permits; one for each check, since every action gets a dozen."""
    return Verdict(check, Answer.ALLOW)


def join(verdicts: Sequence[Verdict]) -> Decision:
    """Join verdicts by strictness; an empty sequence is a deny."""
    if not verdicts:
        silent = Verdict("join", Answer.DENY, (Reason(ReasonCode.CHECK_ERROR, "no check answered"),))
        return Decision(Answer.DENY, (silent,))
    return Decision(max((v.answer for v in verdicts), key=lambda a: a.rank), tuple(verdicts))


_RANKS = {answer: rank for rank, answer in enumerate(Answer)}
