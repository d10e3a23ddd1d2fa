"""Rows for what people said, and for the policy that says who they are. A row alone proves nothing."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class StatementRow(SQLModel, table=True):
    """A signed statement that was used. `body` and `signature` are the truth; the rest is for finding it."""

    __tablename__ = "statement"

    id: str = Field(primary_key=True, max_length=64)  # SHA-256 of body
    nonce: str = Field(unique=True, max_length=32)
    type: str
    person: str
    subject: str = Field(index=True)
    body: bytes
    signature: str
    made_at: datetime = Field(sa_type=UtcDateTime)


class PolicyVersionRow(SQLModel, table=True):
    """One version of the policy. It holds only if the chain from the pinned root says so."""

    __tablename__ = "policy_version"

    id: int | None = Field(default=None, primary_key=True)
    version: int = Field(index=True)
    previous: str | None = None  # digest of the version before
    digest: str = Field(unique=True, max_length=64)  # over version, previous and text
    text: str
    statements: str  # canonical JSON list of statement ids
    applied_at: datetime = Field(sa_type=UtcDateTime)


class PolicyChangeRow(SQLModel, table=True):
    """A proposed next version that collects signatures. It is over when applied, overtaken or expired."""

    __tablename__ = "policy_change"

    digest: str = Field(primary_key=True, max_length=64)
    version: int
    previous: str
    text: str
    proposed_by: str
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)


class KeyRevocationRow(SQLModel, table=True):
    """A key that counts no more. Even a row that no statement supports stops the key, and is reported."""

    __tablename__ = "key_revocation"

    fingerprint: str = Field(primary_key=True)
    statement: str = Field(primary_key=True)
    person: str
    revoked_at: datetime = Field(sa_type=UtcDateTime)
