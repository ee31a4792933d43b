"""Tenant-wide Microsoft connections: an organization's, and the mailboxes whose owners have consented to use it.

An earlier release cannot send from such a mailbox: replace all workers before anybody connects one.
"""

from alembic import op

revision = "2026_11_30_tenants"
down_revision = "2026_11_30_page_speed"
branch_labels = None
depends_on = None

_OWN = "USING (organization_id = NULLIF(current_setting('onbehalf.organization', true), '')::uuid)"
_BEFORE = "'graph', 'microsoft_smtp', 'smtp', 'default', 'gmail'"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE tenant_connections (
            organization_id uuid NOT NULL CONSTRAINT pk_tenant_connections PRIMARY KEY
                CONSTRAINT fk_tenant_connections_organization_id REFERENCES organizations (id),
            tenant_id text NOT NULL,
            status text NOT NULL CONSTRAINT ck_tenant_connections_status CHECK (status IN ('connected', 'lost', 'disconnected')),
            reason text,
            code text,
            version integer NOT NULL DEFAULT 1,
            connected_by text NOT NULL,
            connected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            ended_at timestamptz,
            CONSTRAINT ck_tenant_connections_ended CHECK ((status = 'connected') = (ended_at IS NULL))
        );
        ALTER TABLE tenant_connections ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON tenant_connections TO onbehalf_tenant {_OWN};
        ALTER TABLE mailboxes ADD COLUMN tenant_wide jsonb;
    """)
    _providers(f"{_BEFORE}, 'microsoft_tenant'")
    _searchable("'graph', 'gmail', 'microsoft_tenant'")


def downgrade() -> None:
    _searchable("'graph', 'gmail'")
    _providers(_BEFORE)
    op.execute("""
        ALTER TABLE mailboxes DROP COLUMN tenant_wide;
        DROP TABLE tenant_connections;
    """)


def _providers(listed: str) -> None:
    op.execute(
        "ALTER TABLE mailboxes DROP CONSTRAINT ck_mailboxes_provider,"
        f" ADD CONSTRAINT ck_mailboxes_provider CHECK (provider IN ({listed}))"
    )


def _searchable(listed: str) -> None:
    """Whose mailboxes are searched after a restore."""
    op.execute(f"""
        CREATE OR REPLACE FUNCTION note_lost_time() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE newest restores;
        BEGIN
          SELECT r.* INTO newest FROM restores r ORDER BY at DESC LIMIT 1;
          IF newest.at > (SELECT created_at FROM enrollments WHERE id = NEW.enrollment_id) THEN
            NEW.attempts := 1;
            NEW.releases := 1;
            -- Where nobody can search, only those whose turn may have come in the time that was lost.
            IF NEW.due_at - (newest.at - newest.restored_to) <= newest.at
                AND NOT EXISTS (SELECT FROM mailboxes WHERE id = NEW.mailbox_id AND provider IN ({listed})) THEN
              NEW.send_started_at := newest.at;
            END IF;
          END IF;
          RETURN NEW;
        END $$;
    """)
