"""Who an account is: one mailbox for each account, renames, sessions that can be named and ended, refusals of one mailbox."""

import sqlalchemy as sa
from alembic import op

from db.core.ids import new_id
from db.core.jsonb import dump_json

revision = "2026_11_28_identity"
down_revision = "2026_11_28_step_identity"

# Mailboxes of an account that an older one has already (ids grow with time); one that works counts before one that does not.
_SECOND = """
    SELECT b.id, b.organization_id, b.address, b.connection_version, f.address AS first_address, f.organization_id AS first_organization
    FROM mailboxes b JOIN LATERAL (
        SELECT o.id, o.address, o.organization_id FROM mailboxes o WHERE o.tenant_id = b.tenant_id AND o.account_id = b.account_id
        ORDER BY o.status = 'connected' DESC, o.id LIMIT 1
    ) f ON f.id <> b.id
    WHERE b.account_id <> '' AND b.tenant_id <> '' ORDER BY b.id
"""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE mailboxes ADD COLUMN former_addresses text[] NOT NULL DEFAULT '{}', ADD COLUMN renamed_at timestamptz;
        ALTER TABLE credentials ADD COLUMN refused_at timestamptz, ADD COLUMN refused_code text;
        ALTER TABLE sessions
            ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT uq_sessions_id UNIQUE,
            ADD COLUMN browser text NOT NULL DEFAULT '',
            ADD COLUMN refresh_token bytea;
        CREATE TABLE subscription_requests (
            mailbox_id uuid NOT NULL CONSTRAINT pk_subscription_requests PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_subscription_requests_organization_id REFERENCES organizations (id),
            minutes integer CONSTRAINT ck_subscription_requests_minutes CHECK (minutes > 0),
            refusals integer NOT NULL DEFAULT 0 CONSTRAINT ck_subscription_requests_refusals CHECK (refusals >= 0),
            retry_at timestamptz,
            CONSTRAINT fk_subscription_requests_organization_id_mailbox_id
                FOREIGN KEY (organization_id, mailbox_id) REFERENCES mailboxes (organization_id, id)
        );
        GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_requests TO onbehalf_tenant;
        ALTER TABLE subscription_requests ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON subscription_requests TO onbehalf_tenant
            USING (organization_id = NULLIF(current_setting('onbehalf.organization', true), '')::uuid);
    """)
    _disable_seconds()
    op.execute("""
        CREATE UNIQUE INDEX uq_mailboxes_account ON mailboxes (tenant_id, account_id)
            WHERE account_id <> '' AND tenant_id <> '';
    """)


def _disable_seconds() -> None:
    """Keep the older of two mailboxes of one account; stop the other as a lost connection is stopped, and tell its owners."""
    connection = op.get_bind()
    for row in connection.execute(sa.text(_SECOND)).all():
        connection.execute(
            sa.text("UPDATE lanes SET open = false, epoch = epoch + 1 WHERE mailbox_id = :id"), {"id": row.id}
        )
        lost = connection.execute(
            sa.text(
                "UPDATE mailboxes SET status = 'disconnected', status_reason = 'same_account',"
                " disconnected_at = clock_timestamp() WHERE id = :id AND status = 'connected' RETURNING id"
            ),
            {"id": row.id},
        ).one_or_none()
        connection.execute(sa.text("UPDATE mailboxes SET account_id = NULL WHERE id = :id"), {"id": row.id})
        connection.execute(sa.text("DELETE FROM subscriptions WHERE mailbox_id = :id"), {"id": row.id})
        if lost is None:
            continue
        payload = {
            "mailbox": row.address,
            "mailbox_id": str(row.id),
            "actor": "Onbehalf",
            "reason": "same_account",
        }
        if row.first_organization == row.organization_id:
            payload["same_as"] = row.first_address
        event_id = new_id()
        recorded = connection.execute(
            sa.text(
                "INSERT INTO events (id, organization_id, kind, cause_key, actor, payload)"
                " VALUES (:id, :organization_id, 'ConnectionLost', :cause, 'onbehalf', CAST(:payload AS jsonb))"
                " ON CONFLICT (organization_id, cause_key) DO NOTHING RETURNING id"
            ),
            {
                "id": event_id,
                "organization_id": row.organization_id,
                "cause": f"mailbox:{row.id}:{row.connection_version}",
                "payload": dump_json(payload),
            },
        ).one_or_none()
        connection.execute(
            sa.text(
                "INSERT INTO audit_entries (id, organization_id, at, actor, action, subject, data)"
                " VALUES (:id, :organization_id, clock_timestamp(), 'onbehalf', 'connection_lost', :subject, CAST(:data AS jsonb))"
            ),
            {
                "id": new_id(),
                "organization_id": row.organization_id,
                "subject": f"mailbox:{row.id}",
                "data": dump_json({"reason": "same_account", "connection_version": row.connection_version}),
            },
        )
        if recorded is not None:
            connection.execute(
                sa.text(
                    "INSERT INTO outbox (id, kind, dedupe_key, payload, available_at)"
                    " VALUES (:id, 'fan_out', :key, CAST(:payload AS jsonb), clock_timestamp())"
                ),
                {
                    "id": new_id(),
                    "key": f"fan_out:{event_id}",
                    "payload": dump_json({"event_id": str(event_id)}),
                },
            )


def downgrade() -> None:
    op.execute("""
        DROP INDEX uq_mailboxes_account;
        DROP TABLE subscription_requests;
        ALTER TABLE sessions DROP COLUMN id, DROP COLUMN browser, DROP COLUMN refresh_token;
        ALTER TABLE credentials DROP COLUMN refused_at, DROP COLUMN refused_code;
        ALTER TABLE mailboxes DROP COLUMN former_addresses, DROP COLUMN renamed_at;
    """)
