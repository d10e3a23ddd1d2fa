"""Rows for deviations: alerts, every occurrence, incidents, and the notices that tell people of them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from runtime.tables.types import UtcDateTime

_OPEN = text("state = 'open'")
_UNSENT = text("sent_at IS NULL")


class AlertRow(SQLModel, table=True):
    """A deviation that people must look at. While it is open, the same deviation is counted, not repeated."""

    __tablename__ = "alert"
    __table_args__ = (
        CheckConstraint("count >= 1", name="happened"),
        Index(
            "uq_alert_open_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_alert_open_due", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: str = Field(primary_key=True)
    fingerprint: str = Field(index=True, max_length=64)  # agent, rule, tool and resource class, no ids (F12)
    agent: str = Field(index=True)
    deployment: str | None = Field(default=None, index=True)
    rule: str  # runtime.alerts.rules.AlertRule
    severity: str  # runtime.alerts.rules.Severity
    tool: str
    resource: str  # the class of the resource, never an instance
    state: str  # runtime.alerts.rules.AlertState
    count: int
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)  # from the first occurrence, never moved
    overdue_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AlertOccurrenceRow(SQLModel, table=True):
    """One time that a deviation happened; closing an alert removes none of them (F11)."""

    __tablename__ = "alert_occurrence"
    __table_args__ = (
        Index("ix_alert_occurrence_fingerprint_at", "fingerprint", "at"),
        Index("ix_alert_occurrence_alert_at", "alert", "at"),
    )

    id: str = Field(primary_key=True)
    fingerprint: str = Field(max_length=64)
    alert: str = Field(foreign_key="alert.id")
    deployment: str | None = None
    run: str | None = None
    action: str | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class IncidentRow(SQLModel, table=True):
    """An escalation. It blocks promotion until a leader has acknowledged it with words (R-51 to R-54)."""

    __tablename__ = "incident"
    __table_args__ = (Index("ix_incident_alert_cause", "alert", "cause", "opened_at"),)

    id: str = Field(primary_key=True)
    agent: str = Field(index=True)
    deployment: str | None = Field(default=None, index=True)
    alert: str | None = Field(default=None, foreign_key="alert.id")
    cause: str  # runtime.alerts.rules.IncidentCause
    opened_at: datetime = Field(sa_type=UtcDateTime)
    reminded: int = 0  # reminders sent so far (F26)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NoticeRow(SQLModel, table=True):
    """A notice on its way; it leaves this table only as sent, whatever restarts happen."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_unsent", "next_try_at", sqlite_where=_UNSENT, postgresql_where=_UNSENT),
    )

    id: str = Field(primary_key=True)
    channel: str  # command, webhook or mail
    route: str  # operators or leadership
    kind: str
    subject: str  # what it is about: a hold, an alert, an incident, an obligation
    body: str  # canonical JSON; ids and names only, never agent text
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_try_at: datetime = Field(sa_type=UtcDateTime)
    tries: int = 0
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
