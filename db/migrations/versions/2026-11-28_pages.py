"""Withdrawals that can be read again, results of a page's forms, and links in notices."""

from alembic import op

revision = "2026_11_28_pages"
down_revision = "2026_11_28_content"

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE withdrawals (
            id uuid NOT NULL CONSTRAINT pk_withdrawals PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_withdrawals_organization_id REFERENCES organizations (id),
            cause_key text NOT NULL,
            action text NOT NULL,
            subject_id uuid NOT NULL,
            actor text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            answered_at timestamptz,
            stopped integer,
            already_sent integer,
            last_sent_at timestamptz,
            in_doubt uuid[] NOT NULL DEFAULT '{}',
            touched jsonb NOT NULL DEFAULT '[]',
            CONSTRAINT uq_withdrawals_organization_id_cause_key UNIQUE (organization_id, cause_key),
            CONSTRAINT ck_withdrawals_answered CHECK (
                (answered_at IS NULL) = (stopped IS NULL) AND (answered_at IS NULL) = (already_sent IS NULL))
        );
        CREATE TABLE page_results (
            id uuid NOT NULL CONSTRAINT pk_page_results PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_page_results_organization_id REFERENCES organizations (id),
            member_id uuid NOT NULL,
            content jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT fk_page_results_organization_id_member_id
                FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id)
        );
        CREATE INDEX ix_page_results_member ON page_results (member_id, created_at);
        ALTER TABLE notices ADD COLUMN links jsonb NOT NULL DEFAULT '[]';
        DROP INDEX ix_notices_owner;
        CREATE INDEX ix_notices_owner ON notices (owner_id, id);
        CREATE INDEX ix_deliveries_failed ON deliveries (sequence_id) WHERE state = 'closed' AND outcome = 'failed';
        CREATE INDEX ix_enrollments_blocked ON enrollments (sequence_id)
            WHERE status = 'paused' AND reason LIKE 'missing_merge_field%';
    """)
    for table in ("withdrawals", "page_results"):
        op.execute(f"""
            GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO onbehalf_tenant;
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY tenant ON {table} TO onbehalf_tenant USING (organization_id = {_OWN});
        """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_enrollments_blocked;
        DROP INDEX ix_deliveries_failed;
        DROP INDEX ix_notices_owner;
        CREATE INDEX ix_notices_owner ON notices (owner_id, created_at);
        ALTER TABLE notices DROP COLUMN links;
        DROP TABLE page_results;
        DROP TABLE withdrawals;
    """)
