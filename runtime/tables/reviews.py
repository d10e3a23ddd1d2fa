"""Rows for reviews: what is owed by when, and the packet that was printed for it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime

_OPEN = text("state = 'open'")
_LAST = text("NOT followed")


class ObligationRow(SQLModel, table=True):
    """A review that is owed. One for each deployment, kind and period, whoever asks, however late."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("deployment", "kind", "period_start"),
        CheckConstraint("due_at >= period_start", name="due_after_start"),
        Index("ix_obligation_open_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_obligation_last_due", "due_at", sqlite_where=_LAST, postgresql_where=_LAST),
    )

    id: str = Field(primary_key=True)
    deployment: str = Field(index=True)
    agent: str = Field(index=True)
    kind: str  # rollout.reviews.kinds.ReviewKind
    period_start: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    late: bool = False  # it was created after it had been due: nobody kept the clock
    followed: bool = False  # the period after it stands here too
    state: str  # rollout.reviews.kinds.ObligationState
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PacketRow(SQLModel, table=True):
    """The packet of one obligation as it was last printed; its words stand encrypted in the record."""

    __tablename__ = "packet"

    obligation: str = Field(primary_key=True, foreign_key="obligation.id")
    digest: str = Field(max_length=64)
    log_seq: int
    made_at: datetime = Field(sa_type=UtcDateTime)
