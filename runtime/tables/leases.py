"""Rows for leases: what a run may do right now, and each single action of it."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class LeaseRow(SQLModel, table=True):
    """A lease. A run has one; each action gets a child of it, for one use."""

    __tablename__ = "lease"
    __table_args__ = (CheckConstraint("uses_left >= 0", name="not_overdrawn"),)

    id: str = Field(primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)  # SHA-256 in hex; the token itself is kept nowhere
    parent: str | None = Field(default=None, foreign_key="lease.id")
    holder: str  # the run
    audience: str  # what it is good for: `run`, or an upstream
    action: str | None = None
    args_digest: str | None = None
    uses_left: int
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
