"""Rows by which the clock knows what it observed, and which of several processes keeps it."""

from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class HeartbeatSpanRow(SQLModel, table=True):
    """A stretch of time through which the monitor and the record were seen to work (F1)."""

    __tablename__ = "heartbeat_span"
    __table_args__ = (CheckConstraint("last_at >= began_at", name="forward"),)

    began_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)


class ActivityDayRow(SQLModel, table=True):
    """What a deployment did on one UTC day, counted from the record; no row earns nothing (F14)."""

    __tablename__ = "activity_day"

    deployment: str = Field(primary_key=True)
    day: str = Field(primary_key=True, max_length=10)  # such as 2026-11-21
    intents: int = 0
    denied: int = 0
    held: int = 0
    suggested: int = 0
    proof: int  # number of an entry that proves the day; one that does not makes the row count nothing


class ScanRow(SQLModel, table=True):
    """How far a job has read the record."""

    __tablename__ = "scan"

    name: str = Field(primary_key=True)
    seq: int  # the next entry to read


class LeaderRow(SQLModel, table=True):
    """Which process keeps the clock; one row. The fence grows with each new holder."""

    __tablename__ = "leader"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    holder: str
    until: datetime = Field(sa_type=UtcDateTime)
    fence: int
