"""Members sign in with Microsoft: whose accounts may, who has, and what is under way."""

from alembic import op

revision = "2026_11_21_sign_in"
down_revision = "2026_11_21_audit_months"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE organizations ADD COLUMN tenant_id text CONSTRAINT uq_organizations_tenant_id UNIQUE;
        ALTER TABLE members ADD COLUMN account_id text,
            ADD CONSTRAINT uq_members_organization_id_account_id UNIQUE (organization_id, account_id);
        CREATE TABLE sessions (
            token_hash bytea NOT NULL CONSTRAINT pk_sessions PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_sessions_organization_id REFERENCES organizations (id),
            member_id uuid NOT NULL,
            form_key text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT fk_sessions_organization_id_member_id FOREIGN KEY (organization_id, member_id)
                REFERENCES members (organization_id, id)
        );
        CREATE INDEX ix_sessions_member ON sessions (member_id);
        CREATE INDEX ix_sessions_seen ON sessions (seen_at);
        CREATE TABLE sign_ins (
            state_hash bytea NOT NULL CONSTRAINT pk_sign_ins PRIMARY KEY,
            browser_hash bytea NOT NULL,
            purpose text NOT NULL,
            member_id uuid,
            flow bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT ck_sign_ins_purpose CHECK (purpose IN ('sign_in', 'connect')),
            CONSTRAINT ck_sign_ins_member CHECK ((purpose = 'connect') = (member_id IS NOT NULL))
        );
        CREATE INDEX ix_sign_ins_created ON sign_ins (created_at);
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE sign_ins;
        DROP TABLE sessions;
        ALTER TABLE members DROP CONSTRAINT uq_members_organization_id_account_id, DROP COLUMN account_id;
        ALTER TABLE organizations DROP COLUMN tenant_id;
    """)
