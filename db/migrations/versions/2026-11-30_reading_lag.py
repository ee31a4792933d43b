"""By how much readings are late: what an autoscaler adds readers by, and schedulers measure."""

from alembic import op

revision = "2026_11_30_reading_lag"
down_revision = "2026_11_30_tenants"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of a mailbox that no scheduler has planned yet, and of one that no worker has begun with since. What failed is planned anew.
    op.execute("""
        CREATE VIEW metrics_reading_lag AS
        SELECT greatest(coalesce(extract(epoch FROM now() - least(
            (SELECT min(next_read_at) FROM mailbox_reads WHERE next_read_at IS NOT NULL),
            (SELECT min(queued_at) FROM mailbox_reads WHERE queued_at IS NOT NULL))), 0), 0)::float AS seconds
    """)


def downgrade() -> None:
    op.execute("DROP VIEW metrics_reading_lag")
