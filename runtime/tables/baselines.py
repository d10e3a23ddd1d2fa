"""Rows by which unusual behaviour is told from the usual: calls by tool and day, and frozen baselines."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class ToolDayRow(SQLModel, table=True):
    """How many actions one tool of a deployment did on one UTC day, counted from the record."""

    __tablename__ = "tool_day"

    deployment: str = Field(primary_key=True)
    day: str = Field(primary_key=True, max_length=10)  # such as 2026-11-21
    tool: str = Field(primary_key=True)
    count: int
    told: str | None = None  # the rule by which this day alarmed already


class BaselineRow(SQLModel, table=True):
    """Which entry of the record holds a deployment's baseline. The entry is the truth."""

    __tablename__ = "baseline"

    deployment: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    log_seq: int
    frozen_at: datetime = Field(sa_type=UtcDateTime)
