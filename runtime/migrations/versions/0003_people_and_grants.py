"""People and grants: statements, policy versions, grants and freezes with their causes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "effect_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("valid_from", sa.String(length=27), nullable=False),
        sa.Column("valid_until", sa.String(length=27), nullable=False),
        sa.Column("requester", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("issued_at", sa.String(length=27), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=True),
        sa.Column("revoke_cause", sa.String(), nullable=True),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_effect_grant_ends")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effect_grant")),
    )
    with op.batch_alter_table("effect_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_effect_grant_deployment"), ["deployment"], unique=False)

    op.create_table(
        "key_revocation",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "statement", name=op.f("pk_key_revocation")),
    )
    op.create_table(
        "policy_change",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_policy_change")),
    )
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("statements", sa.String(), nullable=False),
        sa.Column("applied_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_policy_version_digest")),
    )
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_policy_version_version"), ["version"], unique=False)

    op.create_table(
        "statement",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("nonce", name=op.f("uq_statement_nonce")),
    )
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_statement_subject"), ["subject"], unique=False)

    op.create_table(
        "freeze",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("set_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=True),
        sa.Column("statement", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["statement"], ["statement.id"], name=op.f("fk_freeze_statement_statement")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_freeze")),
    )
    op.create_table(
        "grant_cause",
        sa.Column("grant", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant"], ["effect_grant.id"], name=op.f("fk_grant_cause_grant_effect_grant")
        ),
        sa.ForeignKeyConstraint(
            ["statement"], ["statement.id"], name=op.f("fk_grant_cause_statement_statement")
        ),
        sa.PrimaryKeyConstraint("grant", "statement", name=op.f("pk_grant_cause")),
    )
    op.create_table(
        "freeze_lift",
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("freeze", sa.String(), nullable=False),
        sa.Column("lifted_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["freeze"], ["freeze.id"], name=op.f("fk_freeze_lift_freeze_freeze")),
        sa.ForeignKeyConstraint(
            ["statement"], ["statement.id"], name=op.f("fk_freeze_lift_statement_statement")
        ),
        sa.PrimaryKeyConstraint("statement", name=op.f("pk_freeze_lift")),
    )
    with op.batch_alter_table("freeze_lift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_freeze_lift_freeze"), ["freeze"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("freeze_lift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freeze_lift_freeze"))

    op.drop_table("freeze_lift")
    op.drop_table("grant_cause")
    op.drop_table("freeze")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_subject"))

    op.drop_table("statement")
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_version_version"))

    op.drop_table("policy_version")
    op.drop_table("policy_change")
    op.drop_table("key_revocation")
    with op.batch_alter_table("effect_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_effect_grant_deployment"))

    op.drop_table("effect_grant")
