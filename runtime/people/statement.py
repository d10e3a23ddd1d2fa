"""What a person says, as the exact bytes that are signed.

A statement names one thing (type, subject, digest), one installation and one person, and carries a nonce, so
it cannot be used for another thing, in another place, by another, or twice. The bytes are canonical
(RFC 8785): one statement has one spelling.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final, Literal, cast

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    ValidationError,
)

from runtime.canonical import JsonValue as Json
from runtime.canonical import canonical, parse_canonical
from runtime.errors import CanonicalError
from runtime.moments import utc_moment, utc_text

FORMAT: Final = "handrail-statement-1"
LIFETIME: Final = timedelta(hours=24)
"""How long a statement without its own expiry can be handed in."""
CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead a signer's clock may be."""
NONCE_BYTES: Final = 16
_SIZE_LIMIT = 64 * 1024


class StatementType(StrEnum):
    """Everything a person can say. A new kind of word is added here and nowhere else."""

    JUDGEMENT = "judgement"
    APPROVAL = "approval"
    REJECTION = "rejection"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    POLICY = "policy"
    PERSON_REVOKE = "person-revoke"
    GRANT = "grant"
    DEPLOY = "deploy"
    DISPOSITION = "disposition"
    EXPECTATION = "expectation"  # what a reviewer would do, said before the proposal is shown
    ASSESSMENT = "assessment"  # a verdict of the assessment of one deployment (G9)
    ACCEPTANCE = "acceptance"  # a manager accepts, in words, what a review gate cannot measure (G7)
    PROMOTE = "promote"  # a request for one more effect class
    WITHDRAW = "withdraw"
    EXCEPTION = "exception"  # a shorter observation than the policy asks for
    DEMOTE = "demote"
    ROLLBACK = "rollback"  # back to an earlier deployment, within the window
    REVIEW = "review"  # closes a review, and renews the grants that it names
    RESUME = "resume"  # ends a suspension
    ESCALATION = "escalation"
    INCIDENT = "incident"  # a leader's acknowledgement
    OUTDATED = "outdated"  # the rules of the business have changed
    MEMORY = "memory"  # a version of an agent's memory is adopted, gone back to, or quarantined


def _type(value: object) -> object:
    return StatementType(value) if isinstance(value, str) else value


def _moment(value: object) -> object:
    return utc_moment(value) if isinstance(value, str) else value


Moment = Annotated[AwareDatetime, BeforeValidator(_moment), PlainSerializer(utc_text)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\s\x00-\x1f\x7f]+$")]


class Statement(BaseModel):
    """One thing that one person says.

    Attributes:
        type: what kind of word it is.
        installation: the origin of the log it is meant for.
        person: who says it, as the policy names them.
        subject: the id of what it is about: a hold, a suggestion, a freeze, a deployment's agent.
        digest: SHA-256, in hex, of what was shown and decided: a card, a deployment, a policy version.
        body: the fields of this type, such as a verdict, cleared reasons or an effect class.
        at: when it was made, by the signer's clock.
        nonce: 128 random bits in hex; a statement is used once.
        expires: when it can no longer be handed in; without it `LIFETIME` after `at`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal["handrail-statement-1"] = FORMAT
    type: Annotated[StatementType, BeforeValidator(_type)]
    installation: Word
    person: Word
    subject: Word
    digest: Digest
    body: dict[str, JsonValue]
    at: Moment
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    expires: Moment | None = None

    @property
    def usable_until(self) -> datetime:
        """The moment from which it can no longer be handed in."""
        return self.expires or self.at + LIFETIME

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, which are what is signed."""
        return canonical(self.model_dump())


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement as it travels: the exact bytes, and an armored SSHSIG signature over them."""

    body: bytes
    signature: str

    @property
    def id(self) -> str:
        """SHA-256 of the bytes in hex; a row under another id is not this statement."""
        return statement_id(self.body)


@dataclass(frozen=True, slots=True)
class Matter:
    """What a statement must be about to count for something.

    Attributes:
        type: the kind of word.
        subject: the id of the thing.
        digest: what was shown.
        body: the fields, compared whole: one field more or less is another matter.
    """

    type: StatementType
    subject: str
    digest: str
    body: Mapping[str, Json]


def statement_id(body: bytes) -> str:
    """Return the id of the statement with these bytes."""
    return hashlib.sha256(body).hexdigest()


def draft(
    matter: Matter,
    *,
    installation: str,
    person: str,
    now: datetime,
    nonce: bytes,
    expires: datetime | None = None,
) -> Statement:
    """Return the statement that `person` would sign to say `matter`.

    Args:
        matter: what is said.
        installation: the origin of the log it is meant for.
        person: the signer's name in the policy.
        now: the present moment.
        nonce: `NONCE_BYTES` fresh random bytes.
        expires: when it can no longer be handed in.
    """
    return Statement(
        type=matter.type,
        installation=installation,
        person=person,
        subject=matter.subject,
        digest=matter.digest,
        body=cast("dict[str, JsonValue]", dict(matter.body)),  # two spellings of the same type
        at=now,
        nonce=nonce.hex(),
        expires=expires,
    )


def parse(body: bytes) -> Statement:
    """Read the bytes of a statement.

    Raises:
        CanonicalError: the bytes are not the one canonical spelling of a statement.
    """
    if len(body) > _SIZE_LIMIT:
        raise CanonicalError(f"a statement of {len(body)} bytes: expected at most {_SIZE_LIMIT}")
    try:
        statement = Statement.model_validate(parse_canonical(body))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
        raise CanonicalError(f"not a statement: {faults}") from error
    if statement.to_bytes() != body:
        raise CanonicalError("the bytes are not canonical: a statement has one spelling (RFC 8785)")
    return statement
