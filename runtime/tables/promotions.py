"""Rows for promotions: requests for one more effect class, and the signed yes or no to each."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime

_OPEN = text("state IN ('draft', 'evidence_frozen', 'awaiting')")


class PromotionRow(SQLModel, table=True):
    """A request. The row decides nothing: the frozen bytes do, and the statements about them."""

    __tablename__ = "promotion"
    __table_args__ = (
        CheckConstraint("valid_until > valid_from", name="ends"),
        Index(
            "uq_promotion_open",
            "deployment",
            "effect",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: str = Field(primary_key=True)
    deployment: str = Field(index=True)
    agent: str = Field(index=True)
    effect: str
    state: str  # rollout.promotions.states.PromotionState
    requester: str
    owner: str
    grant: str = Field(unique=True)  # id of the grant that it would issue
    frozen: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # canonical JSON
    basis: str = Field(max_length=64)  # SHA-256 over `frozen`; approvals sign it
    valid_from: datetime = Field(sa_type=UtcDateTime)
    valid_until: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    end_reason: str | None = None


class PromotionVoteRow(SQLModel, table=True):
    """A person's one word on one request; the statement is verified wherever it is counted (F5)."""

    __tablename__ = "promotion_vote"
    __table_args__ = (UniqueConstraint("promotion", "person"),)

    statement: str = Field(primary_key=True, foreign_key="statement.id")
    promotion: str = Field(foreign_key="promotion.id", index=True)
    person: str
    approves: bool
    cast_at: datetime = Field(sa_type=UtcDateTime)
