"""incidents: the newest of an alert is one step away, however many there are."""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_incident_alert"))
        batch_op.create_index("ix_incident_alert_cause", ["alert", "cause", "opened_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.drop_index("ix_incident_alert_cause")
        batch_op.create_index(batch_op.f("ix_incident_alert"), ["alert"], unique=False)
