"""Rows for power given and stopped: grants with their signed causes, freezes with their lifts."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class GrantRow(SQLModel, table=True):
    """A permission of one deployment for one effect class. Nothing is permitted without its causes (R-81)."""

    __tablename__ = "effect_grant"
    __table_args__ = (CheckConstraint("valid_until > valid_from", name="ends"),)

    id: str = Field(primary_key=True)
    deployment: str = Field(index=True)
    effect: str
    valid_from: datetime = Field(sa_type=UtcDateTime)
    valid_until: datetime = Field(sa_type=UtcDateTime)
    requester: str
    owner: str
    basis: str | None = Field(default=None, max_length=64)  # the frozen evidence that its signers saw
    restores: str | None = None  # the grant of a deployment that is returned to, within the rollback window
    issued_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoke_cause: str | None = None


class GrantCauseRow(SQLModel, table=True):
    """One of the signed statements that a grant stands on."""

    __tablename__ = "grant_cause"

    grant: str = Field(primary_key=True, foreign_key="effect_grant.id")
    statement: str = Field(primary_key=True, foreign_key="statement.id")


class FreezeRow(SQLModel, table=True):
    """A stop. Even a row that no statement supports stops; only a signed expiry or a signed lift ends it."""

    __tablename__ = "freeze"

    id: str = Field(primary_key=True)
    scope: str  # runtime.freeze.Scope
    target: str  # agent name, deployment digest, or `all`
    reason: str
    owner: str  # a person's name, or the part of Handrail that stopped
    set_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    statement: str | None = Field(default=None, foreign_key="statement.id")


class FreezeLiftRow(SQLModel, table=True):
    """A signed end of a freeze."""

    __tablename__ = "freeze_lift"

    statement: str = Field(primary_key=True, foreign_key="statement.id")
    freeze: str = Field(foreign_key="freeze.id", index=True)
    lifted_at: datetime = Field(sa_type=UtcDateTime)
