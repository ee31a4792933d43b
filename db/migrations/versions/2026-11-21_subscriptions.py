"""Microsoft's change notifications, as hints: which subscription is of which mailbox, and what proves a notification."""

from alembic import op

revision = "2026_11_21_subscriptions"
down_revision = "2026_11_21_webhooks"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE subscriptions (
            mailbox_id uuid NOT NULL CONSTRAINT pk_subscriptions PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_subscriptions_organization_id REFERENCES organizations (id),
            subscription_id text NOT NULL CONSTRAINT uq_subscriptions_subscription_id UNIQUE,
            state_hash bytea NOT NULL,
            expires_at timestamptz NOT NULL,
            CONSTRAINT fk_subscriptions_organization_id_mailbox_id
                FOREIGN KEY (organization_id, mailbox_id) REFERENCES mailboxes (organization_id, id)
        );
        GRANT SELECT, INSERT, UPDATE, DELETE ON subscriptions TO onbehalf_tenant;
        ALTER TABLE subscriptions ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON subscriptions TO onbehalf_tenant
            USING (organization_id = NULLIF(current_setting('onbehalf.organization', true), '')::uuid);
    """)


def downgrade() -> None:
    op.execute("DROP TABLE subscriptions;")
