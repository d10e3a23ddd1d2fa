"""Rows for evidence: which suggestions and executed actions our seed drew for people to judge."""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class DrawRow(SQLModel, table=True):
    """One draw, after the fact: everything of one class between two moments, and how much of it was taken."""

    __tablename__ = "draw"
    __table_args__ = (
        UniqueConstraint("deployment", "effect", "kind", "through_at"),  # also finds the last draw
        CheckConstraint("drawn <= population", name="from_population"),
    )

    id: str = Field(primary_key=True)
    deployment: str
    effect: str
    kind: str  # rollout.evidence.items.ItemKind: suggestion or executed
    seed: str = Field(max_length=64)  # hex; made for this draw after everything in it had happened
    from_at: datetime = Field(sa_type=UtcDateTime)
    through_at: datetime = Field(sa_type=UtcDateTime)
    population: int
    drawn: int
    made_at: datetime = Field(sa_type=UtcDateTime)


class DrawnItemRow(SQLModel, table=True):
    """One item that must be judged: a suggestion, or an action that was carried out (R-84)."""

    __tablename__ = "drawn_item"

    item: str = Field(primary_key=True)  # id of the suggestion or the action
    draw: str = Field(foreign_key="draw.id", index=True)
    deployment: str = Field(index=True)
    agent: str = Field(index=True)
    effect: str
    kind: str
    cluster: str = Field(max_length=64)  # items of one cluster count once (F14)
    blind: bool = False  # the reviewer decides before seeing the proposal
    happened_at: datetime = Field(sa_type=UtcDateTime)
    settled: bool = Field(default=False, index=True)  # judged as often as it must be
