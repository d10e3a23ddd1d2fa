"""The first tables."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "agent",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("traits", sa.String(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("registered_at", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_agent")),
    )
    op.create_table(
        "budget",
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("holder", "key", name=op.f("pk_budget")),
    )
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
    op.create_table(
        "log_checkpoint",
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_log_checkpoint")),
    )
    op.create_table(
        "log_data_key",
        sa.Column("id", sa.String(length=7), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_data_key")),
    )
    op.create_table(
        "log_entry",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(), nullable=True),
        sa.Column("agent", sa.String(), nullable=True),
        sa.Column("deployment", sa.String(), nullable=True),
        sa.Column("run", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_entry")),
    )
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_log_entry_kind"), ["kind"], unique=False)
        batch_op.create_index(
            "ix_log_entry_revoked",
            ["subject"],
            unique=False,
            sqlite_where=sa.text("kind = 'grant.revoked'"),
            postgresql_where=sa.text("kind = 'grant.revoked'"),
        )
        batch_op.create_index(batch_op.f("ix_log_entry_run"), ["run"], unique=False)

    op.create_table(
        "log_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("high_water", sa.String(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_head")),
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
        "seen",
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("first_action", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("deployment", "key", name=op.f("pk_seen")),
    )
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
        "deployment",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.Column("profile_text", sa.String(), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["agent"], ["agent.name"], name=op.f("fk_deployment_agent_agent")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_deployment")),
    )
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_deployment_agent"), ["agent"], unique=False)

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
        "log_payload",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(length=7), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["seq"], ["log_entry.seq"], name=op.f("fk_log_payload_seq_log_entry")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_log_payload")),
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

    op.create_table(
        "run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("single_user", sa.Boolean(), nullable=False),
        sa.Column("task", sa.String(), nullable=True),
        sa.Column("box", sa.String(), nullable=True),
        sa.Column("runtime", sa.String(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("requested_at", sa.String(length=27), nullable=False),
        sa.Column("released_at", sa.String(length=27), nullable=True),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("ended_at", sa.String(length=27), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.CheckConstraint("ended_at IS NULL OR outcome IS NOT NULL", name=op.f("ck_run_ended_has_outcome")),
        sa.ForeignKeyConstraint(
            ["deployment"], ["deployment.digest"], name=op.f("fk_run_deployment_deployment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_agent"), ["agent"], unique=False)
        batch_op.create_index(batch_op.f("ix_run_deployment"), ["deployment"], unique=False)

    op.create_table(
        "action",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("args_digest", sa.String(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("log_seq", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=False),
        sa.Column("settled_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_action_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_action")),
    )
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.create_index(
            "ix_action_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'intent'"),
            postgresql_where=sa.text("state = 'intent'"),
        )

    op.create_table(
        "hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("args_digest", sa.String(), nullable=False),
        sa.Column("reasons", sa.String(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("log_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("result_seq", sa.Integer(), nullable=True),
        sa.CheckConstraint("needed >= 1", name=op.f("ck_hold_needs_someone")),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_hold_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
        sa.UniqueConstraint("action", name=op.f("uq_hold_action")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hold_args_digest"), ["args_digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_hold_run"), ["run"], unique=False)
        batch_op.create_index(batch_op.f("ix_hold_state"), ["state"], unique=False)

    op.create_table(
        "suggestion",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("deployment", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("args_digest", sa.String(), nullable=False),
        sa.Column("log_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name=op.f("fk_suggestion_run_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion")),
        sa.UniqueConstraint("action", name=op.f("uq_suggestion_action")),
    )
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suggestion_agent"), ["agent"], unique=False)
        batch_op.create_index(batch_op.f("ix_suggestion_deployment"), ["deployment"], unique=False)
        batch_op.create_index(batch_op.f("ix_suggestion_effect"), ["effect"], unique=False)
        batch_op.create_index(batch_op.f("ix_suggestion_run"), ["run"], unique=False)

    op.create_table(
        "judgement",
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("suggestion", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("judged_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["suggestion"], ["suggestion.id"], name=op.f("fk_judgement_suggestion_suggestion")
        ),
        sa.PrimaryKeyConstraint("statement", name=op.f("pk_judgement")),
        sa.UniqueConstraint("suggestion", "person", name=op.f("uq_judgement_suggestion_person")),
    )
    with op.batch_alter_table("judgement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_judgement_suggestion"), ["suggestion"], unique=False)

    op.create_table(
        "vote",
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("hold", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("cast_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["hold"], ["hold.id"], name=op.f("fk_vote_hold_hold")),
        sa.PrimaryKeyConstraint("statement", name=op.f("pk_vote")),
        sa.UniqueConstraint("hold", "person", name=op.f("uq_vote_hold_person")),
    )
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vote_hold"), ["hold"], unique=False)

    if op.get_bind().dialect.name == "postgresql":
        keep_what_was_written()


def keep_what_was_written() -> None:
    """Refuse changes to rows of the record and to signed statements, as far as PostgreSQL can.

    That is against mistakes. Who owns the tables can take it away again, which the Merkle log and its anchor
    are for. UPDATE stays granted on one column, since checking a foreign key locks the row that it names; the
    trigger refuses it all the same.
    """
    op.execute(
        "CREATE FUNCTION handrail_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'rows of % stay as they were written', TG_TABLE_NAME "
        "USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    for table, key in (("log_entry", "seq"), ("log_checkpoint", "size"), ("statement", "id")):
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM PUBLIC, CURRENT_USER")
        op.execute(f"GRANT UPDATE ({key}) ON {table} TO CURRENT_USER")
        _refuse(table, "UPDATE OR DELETE", "ROW")
        _refuse(table, "TRUNCATE", "STATEMENT")
    _refuse("log_payload", "UPDATE", "ROW")  # a purge deletes


def _refuse(table: str, events: str, each: str) -> None:
    op.execute(
        f"CREATE TRIGGER append_only_{each.lower()} BEFORE {events} ON {table} "
        f"FOR EACH {each} EXECUTE FUNCTION handrail_append_only()"
    )


def downgrade() -> None:
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vote_hold"))

    op.drop_table("vote")
    with op.batch_alter_table("judgement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_judgement_suggestion"))

    op.drop_table("judgement")
    with op.batch_alter_table("suggestion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suggestion_run"))
        batch_op.drop_index(batch_op.f("ix_suggestion_effect"))
        batch_op.drop_index(batch_op.f("ix_suggestion_deployment"))
        batch_op.drop_index(batch_op.f("ix_suggestion_agent"))

    op.drop_table("suggestion")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_state"))
        batch_op.drop_index(batch_op.f("ix_hold_run"))
        batch_op.drop_index(batch_op.f("ix_hold_args_digest"))

    op.drop_table("hold")
    with op.batch_alter_table("action", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_action_open",
            sqlite_where=sa.text("state = 'intent'"),
            postgresql_where=sa.text("state = 'intent'"),
        )

    op.drop_table("action")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_run_deployment"))
        batch_op.drop_index(batch_op.f("ix_run_agent"))

    op.drop_table("run")
    with op.batch_alter_table("freeze_lift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_freeze_lift_freeze"))

    op.drop_table("freeze_lift")
    op.drop_table("log_payload")
    op.drop_table("grant_cause")
    op.drop_table("freeze")
    with op.batch_alter_table("deployment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_deployment_agent"))

    op.drop_table("deployment")
    with op.batch_alter_table("statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_statement_subject"))

    op.drop_table("statement")
    op.drop_table("seen")
    with op.batch_alter_table("policy_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_policy_version_version"))

    op.drop_table("policy_version")
    op.drop_table("policy_change")
    op.drop_table("log_head")
    with op.batch_alter_table("log_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_log_entry_run"))
        batch_op.drop_index("ix_log_entry_revoked")
        batch_op.drop_index(batch_op.f("ix_log_entry_kind"))

    op.drop_table("log_entry")
    op.drop_table("log_data_key")
    op.drop_table("log_checkpoint")
    op.drop_table("lease")
    op.drop_table("key_revocation")
    with op.batch_alter_table("effect_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_effect_grant_deployment"))

    op.drop_table("effect_grant")
    op.drop_table("budget")
    op.drop_table("agent")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION handrail_append_only()")
