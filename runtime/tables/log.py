"""Rows of the record. `runtime.record` alone writes them; `verify` can check everything in them.

The leaf is the truth. Every other column of `log_entry` is derived from it, so that it can be searched.
"""

from sqlalchemy import ColumnClause, Index, literal_column, text
from sqlmodel import Field, SQLModel

REVOCATION: ColumnClause[str] = literal_column("'grant.revoked'")
"""`EventKind.GRANT_REVOKED` as a literal: only so does a query use the small index of revocations."""
_REVOKED = text("kind = 'grant.revoked'")
SUSPENSION: ColumnClause[str] = literal_column("'writes.suspended'")
"""`EventKind.WRITES_SUSPENDED` as a literal, for the small index of suspensions."""
_SUSPENDED = text("kind = 'writes.suspended'")
ALERT: ColumnClause[str] = literal_column("'alert.raised'")
"""`EventKind.ALERT_RAISED` as a literal, for the small index of alerts."""
_RAISED = text("kind = 'alert.raised'")

# The following stand in a WHERE as they are. Typed as Boolean they would not: SQLite, which has no booleans,
# would be given `(kind IN (...)) = 1`, and would use no index for it.
EVIDENCE = text("kind IN ('items.drawn', 'expectation.stated', 'suggestion.judged', 'executed.judged')")
"""The entries that evidence is counted from, as text for their small index."""
POWER = text("kind IN ('grant.issued', 'grant.renewed', 'deployment.demoted')")
"""The entries by which a deployment's tier moves, as text for their small index."""
ISSUE: ColumnClause[str] = literal_column("'grant.issued'")
"""`EventKind.GRANT_ISSUED` as a literal."""
OBSERVED: ColumnClause[str] = literal_column("'monitor.observed'")
"""`EventKind.MONITOR_OBSERVED` as a literal, for the small index of heartbeats."""
_OBSERVED = text("kind = 'monitor.observed'")


class LogEntryRow(SQLModel, table=True):
    """One leaf of the Merkle log."""

    __tablename__ = "log_entry"
    __table_args__ = (
        Index("ix_log_entry_revoked", "subject", sqlite_where=_REVOKED, postgresql_where=_REVOKED),
        Index("ix_log_entry_alert", "agent", "subject", sqlite_where=_RAISED, postgresql_where=_RAISED),
        Index(
            "ix_log_entry_suspended",
            "deployment",
            "subject",
            sqlite_where=_SUSPENDED,
            postgresql_where=_SUSPENDED,
        ),
        Index(
            "ix_log_entry_evidence",
            "deployment",
            "seq",
            sqlite_where=EVIDENCE,
            postgresql_where=EVIDENCE,
        ),
        Index("ix_log_entry_power", "deployment", "seq", sqlite_where=POWER, postgresql_where=POWER),
        Index(
            "ix_log_entry_observed",
            "kind",
            "at",
            "subject",
            sqlite_where=_OBSERVED,
            postgresql_where=_OBSERVED,
        ),
    )

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    leaf: bytes
    leaf_hash: bytes
    at: str = Field(max_length=27)
    kind: str = Field(index=True, max_length=64)
    actor: str | None = None
    agent: str | None = None
    deployment: str | None = None
    run: str | None = Field(default=None, index=True)
    subject: str | None = None


class LogPayloadRow(SQLModel, table=True):
    """What an entry said that may be sensitive: encrypted, and removable without harm to any proof."""

    __tablename__ = "log_payload"

    seq: int = Field(primary_key=True, foreign_key="log_entry.seq", sa_column_kwargs={"autoincrement": False})
    key_id: str = Field(max_length=7)
    sealed: bytes


class LogDataKeyRow(SQLModel, table=True):
    """The data key of one month, wrapped by the key provider."""

    __tablename__ = "log_data_key"

    id: str = Field(primary_key=True, max_length=7)
    wrapped: bytes


class LogHeadRow(SQLModel, table=True):
    """The size of the log and the hashes needed to append to it; one row."""

    __tablename__ = "log_head"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    origin: str
    size: int
    frontier: bytes
    high_water: str = Field(max_length=27)


class LogCheckpointRow(SQLModel, table=True):
    """A signed statement of the log's root at one size."""

    __tablename__ = "log_checkpoint"

    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: bytes
    note: str
