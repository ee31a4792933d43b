"""The gate asks whether mail to a default address is still to be processed; few rows are, of many."""

from alembic import op

revision = "2026_11_29_unprocessed"
down_revision = "2026_11_29_incidents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_received_mail_unprocessed ON received_mail (mailbox_id) WHERE processed_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_received_mail_unprocessed")
