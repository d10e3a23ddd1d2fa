"""Leases."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("args_digest", sa.String(), nullable=True),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.CheckConstraint("uses_left >= 0", name=op.f("ck_lease_not_overdrawn")),
        sa.ForeignKeyConstraint(["parent"], ["lease.id"], name=op.f("fk_lease_parent_lease")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_lease_token_hash")),
    )


def downgrade() -> None:
    op.drop_table("lease")
