"""Operators of the installation, and how it stands, minute by minute: for the page Operations."""

from alembic import op

revision = "2026_11_30_operations"
down_revision = "2026_11_30_holds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE operators (
            member_id uuid NOT NULL CONSTRAINT pk_operators PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_operators_organization_id REFERENCES organizations (id),
            account_id text NOT NULL,
            activity_version integer NOT NULL,
            added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT fk_operators_organization_id_member_id FOREIGN KEY (organization_id, member_id)
                REFERENCES members (organization_id, id) ON DELETE CASCADE
        );
        ALTER TABLE operators ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON operators TO onbehalf_tenant
            USING (organization_id = NULLIF(current_setting('onbehalf.organization', true), '')::uuid);
        CREATE TABLE measurements (
            minute timestamptz NOT NULL CONSTRAINT pk_measurements PRIMARY KEY,
            measured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            figures jsonb NOT NULL,
            details jsonb
        );
        ALTER TABLE measurements ENABLE ROW LEVEL SECURITY;
        -- A tenant sees operators of its own organization only.
        CREATE POLICY tenant ON measurements TO onbehalf_tenant USING (EXISTS (SELECT FROM operators));
    """)


def downgrade() -> None:
    op.execute("DROP TABLE measurements; DROP TABLE operators")
