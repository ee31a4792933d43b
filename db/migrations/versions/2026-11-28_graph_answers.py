"""What Graph answers, kept: why a lane waits and since when its limit is reached, what was accepted and still lies in Drafts,
which mailbox only a sent email proves good, and until when Entra wants no refresh."""

from alembic import op

revision = "2026_11_28_graph_answers"
down_revision = "2026_11_21_ended_grants"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE lanes ADD COLUMN wait_reason text, ADD COLUMN limited_since timestamptz, ADD COLUMN limited_at timestamptz,
            ADD COLUMN drafts_checked_at timestamptz;
        ALTER TABLE deliveries ADD COLUMN left_check_at timestamptz, ADD COLUMN still_draft_at timestamptz,
            ADD CONSTRAINT ck_deliveries_left_check CHECK (state = 'sent' OR (left_check_at IS NULL AND still_draft_at IS NULL));
        CREATE INDEX ix_deliveries_left_check ON deliveries (mailbox_id, left_check_at) WHERE left_check_at IS NOT NULL;
        CREATE INDEX ix_deliveries_still_draft ON deliveries (mailbox_id) WHERE still_draft_at IS NOT NULL;
        ALTER TABLE mailboxes ADD COLUMN refused_sending text,
            ADD CONSTRAINT ck_mailboxes_refused_sending CHECK (refused_sending IS NULL OR status = 'disconnected');
        ALTER TABLE credentials ADD COLUMN refresh_not_before timestamptz;
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE credentials DROP COLUMN refresh_not_before;
        ALTER TABLE mailboxes DROP COLUMN refused_sending;
        ALTER TABLE deliveries DROP COLUMN left_check_at, DROP COLUMN still_draft_at;
        ALTER TABLE lanes DROP COLUMN wait_reason, DROP COLUMN limited_since, DROP COLUMN limited_at, DROP COLUMN drafts_checked_at;
    """)
