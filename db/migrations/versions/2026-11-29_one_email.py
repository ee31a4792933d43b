"""What people decide about one planned email: a time before which it does not leave, and a text of its own; and the outbox."""

from alembic import op

revision = "2026_11_29_one_email"
down_revision = "2026_11_29_frame"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE deliveries ADD COLUMN not_before timestamptz, ADD COLUMN own_subject text, ADD COLUMN own_body text,
            ADD CONSTRAINT ck_deliveries_own_text CHECK (own_subject IS NULL OR own_body IS NOT NULL);
        CREATE INDEX ix_deliveries_planned ON deliveries (organization_id, held, due_at, id) WHERE state = 'pending';
        CREATE INDEX ix_deliveries_planned_of ON deliveries (sequence_id, held, due_at, id) WHERE state = 'pending';
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_deliveries_planned, ix_deliveries_planned_of;
        ALTER TABLE deliveries DROP COLUMN not_before, DROP COLUMN own_subject, DROP COLUMN own_body;
    """)
