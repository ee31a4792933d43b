"""A delay in business days may end at a time of day. Earlier releases read the delay without it, and keep the time of the step before."""

from alembic import op

revision = "2026_11_30_times_of_day"
down_revision = "2026_11_30_approvals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE steps ADD COLUMN at text, ADD COLUMN whole_delay text NOT NULL GENERATED ALWAYS AS
            (CASE WHEN delay LIKE '%business%' THEN delay || coalesce(' at ' || at, '') ELSE delay END) STORED;
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE steps DROP COLUMN whole_delay, DROP COLUMN at")
