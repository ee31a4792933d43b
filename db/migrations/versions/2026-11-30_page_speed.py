"""The people who wrote to a mailbox, in the order of a list, without all that they wrote."""

from alembic import op

revision = "2026_11_30_page_speed"
down_revision = "2026_11_30_mailbox_logs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_incoming_messages_people ON incoming_messages (mailbox_id, candidate_id)"
        " WHERE candidate_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_incoming_messages_people")
