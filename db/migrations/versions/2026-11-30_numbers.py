"""Numbers of large organizations, counted ahead by schedulers. Earlier releases go on counting them for each page."""

from alembic import op

revision = "2026_11_30_numbers"
down_revision = "2026_11_30_settings"
branch_labels = None
depends_on = None

_OWN = "USING (organization_id = NULLIF(current_setting('onbehalf.organization', true), '')::uuid)"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE numbers_counts (
            organization_id uuid NOT NULL CONSTRAINT pk_numbers_counts PRIMARY KEY
                CONSTRAINT fk_numbers_counts_organization_id REFERENCES organizations (id),
            counted_at timestamptz,
            took interval
        );
        ALTER TABLE numbers_counts ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON numbers_counts TO onbehalf_tenant {_OWN};
        CREATE TABLE counted_numbers (
            organization_id uuid NOT NULL CONSTRAINT fk_counted_numbers_organization_id REFERENCES organizations (id),
            viewer_id uuid NOT NULL,
            kind text NOT NULL CONSTRAINT ck_counted_numbers_kind CHECK (kind IN ('total', 'week', 'step', 'sender', 'sequence')),
            key text NOT NULL,
            week date NOT NULL,
            sent integer NOT NULL,
            people integer NOT NULL,
            answered integer NOT NULL,
            interested integer NOT NULL,
            bounced integer NOT NULL,
            opted_out integer NOT NULL,
            in_doubt integer NOT NULL,
            held integer NOT NULL,
            CONSTRAINT pk_counted_numbers PRIMARY KEY (viewer_id, kind, key, week)
        );
        CREATE INDEX ix_counted_numbers_organization ON counted_numbers (organization_id);
        ALTER TABLE counted_numbers ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON counted_numbers TO onbehalf_tenant {_OWN};
    """)


def downgrade() -> None:
    op.execute("DROP TABLE counted_numbers; DROP TABLE numbers_counts")
