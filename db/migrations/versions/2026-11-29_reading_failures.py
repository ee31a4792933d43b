"""Since when a mailbox cannot be read: the number of attempts does not say, for follow-ups try again at once."""

from alembic import op

revision = "2026_11_29_reading_failures"
down_revision = "2026_11_29_unprocessed"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE mailbox_reads ADD COLUMN failing_since timestamptz")
    op.execute("UPDATE mailbox_reads SET failing_since = clock_timestamp() WHERE failures > 0")


def downgrade() -> None:
    op.execute("ALTER TABLE mailbox_reads DROP COLUMN failing_since")
