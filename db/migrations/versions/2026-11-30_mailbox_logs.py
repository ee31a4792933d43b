"""From where on a mailbox's log at its provider is read, so that a reading of a quiet mailbox is one request."""

from alembic import op

revision = "2026_11_30_mailbox_logs"
down_revision = "2026_11_30_provisioning"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE mailbox_reads
          ADD COLUMN log_read text, ADD COLUMN log_newest text, ADD COLUMN log_newest_at timestamptz, ADD COLUMN log_connection int,
          ADD CONSTRAINT ck_mailbox_reads_log CHECK (
            num_nonnulls(log_newest, log_newest_at, log_connection) IN (0, 3) AND (log_read IS NULL OR log_newest IS NOT NULL))
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE mailbox_reads DROP CONSTRAINT ck_mailbox_reads_log,
          DROP COLUMN log_read, DROP COLUMN log_newest, DROP COLUMN log_newest_at, DROP COLUMN log_connection
    """)
