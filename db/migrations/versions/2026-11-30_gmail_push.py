"""Gmail's hints: one account's changes may concern mailboxes of several organizations, and a refused watch says why."""

from alembic import op

revision = "2026_11_30_gmail_push"
down_revision = "2026_11_30_reading_lag"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE subscriptions DROP CONSTRAINT uq_subscriptions_subscription_id;
        CREATE INDEX ix_subscriptions_subscription_id ON subscriptions (subscription_id);
        ALTER TABLE subscription_requests ADD COLUMN code text;
    """)


def downgrade() -> None:
    # Without hints mailboxes are read by the clock.
    op.execute("""
        DELETE FROM subscriptions s USING mailboxes b WHERE b.id = s.mailbox_id AND b.provider = 'gmail';
        DELETE FROM subscription_requests s USING mailboxes b WHERE b.id = s.mailbox_id AND b.provider = 'gmail';
        DROP INDEX ix_subscriptions_subscription_id;
        ALTER TABLE subscriptions ADD CONSTRAINT uq_subscriptions_subscription_id UNIQUE (subscription_id);
        ALTER TABLE subscription_requests DROP COLUMN code;
    """)
