"""Webhooks: addresses of other programs that are told of pauses and connections, and what was told them."""

from alembic import op

revision = "2026_11_21_webhooks"
down_revision = "2026_11_21_tenants_apart"

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE webhooks (
            id uuid NOT NULL CONSTRAINT pk_webhooks PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_webhooks_organization_id REFERENCES organizations (id),
            url text NOT NULL,
            secret bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            removed_at timestamptz,
            CONSTRAINT uq_webhooks_organization_id_id UNIQUE (organization_id, id)
        );
        CREATE UNIQUE INDEX uq_webhooks_url ON webhooks (organization_id, url) WHERE removed_at IS NULL;
        CREATE TABLE webhook_calls (
            webhook_id uuid NOT NULL,
            event_id uuid NOT NULL,
            organization_id uuid NOT NULL CONSTRAINT fk_webhook_calls_organization_id REFERENCES organizations (id),
            state text NOT NULL DEFAULT 'waiting',
            attempts integer NOT NULL DEFAULT 0,
            answer text,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_webhook_calls PRIMARY KEY (webhook_id, event_id),
            CONSTRAINT fk_webhook_calls_organization_id_webhook_id
                FOREIGN KEY (organization_id, webhook_id) REFERENCES webhooks (organization_id, id),
            CONSTRAINT ck_webhook_calls_state CHECK (state IN ('waiting', 'taken', 'given_up'))
        );
        CREATE INDEX ix_webhook_calls_created ON webhook_calls (created_at);
    """)
    for table in ("webhooks", "webhook_calls"):
        op.execute(f"""
            GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO onbehalf_tenant;
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY tenant ON {table} TO onbehalf_tenant USING (organization_id = {_OWN});
        """)


def downgrade() -> None:
    op.execute("DROP TABLE webhook_calls; DROP TABLE webhooks;")
