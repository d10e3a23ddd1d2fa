"""Rows for writes that are taken away for a while, though their grants stand."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime


class SuspensionRow(SQLModel, table=True):
    """A suspension. Even a row that the record does not know suspends; only signed words end it."""

    __tablename__ = "suspension"

    id: str = Field(primary_key=True)
    deployment: str = Field(index=True)
    effect: str | None = None  # one class of writes; None: every class but `read`
    code: str  # runtime.suspension_rules.SuspensionCode
    subject: str  # id of what caused it: an alert, an obligation, a suggestion
    reason: str  # our words, never an agent's
    set_at: datetime = Field(sa_type=UtcDateTime)
