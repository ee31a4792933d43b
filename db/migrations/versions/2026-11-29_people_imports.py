"""Imports of people on pages: the file, kept encrypted for a day; what columns mean; days between two sequences of a person."""

from alembic import op

revision = "2026_11_29_people_imports"
down_revision = "2026_11_29_one_email"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(f"""
        ALTER TABLE organizations ADD COLUMN recontact_days integer NOT NULL DEFAULT 90,
            ADD CONSTRAINT ck_organizations_recontact_days CHECK (recontact_days BETWEEN 0 AND 3650);

        CREATE TABLE people_imports (
            id uuid NOT NULL CONSTRAINT pk_people_imports PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_people_imports_organization_id REFERENCES organizations (id),
            member_id uuid,
            made_by text NOT NULL,
            name text NOT NULL,
            size integer NOT NULL,
            status text NOT NULL DEFAULT 'checking',
            round integer NOT NULL DEFAULT 1,
            attempts integer NOT NULL DEFAULT 0,
            sequence_id uuid,
            a_day integer,
            anyway text NOT NULL DEFAULT '',
            mapping jsonb,
            content bytea,
            report bytea,
            left_out bytea,
            task text NOT NULL DEFAULT '',
            done integer NOT NULL DEFAULT 0,
            total integer NOT NULL DEFAULT 0,
            lease_until timestamptz,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT fk_people_imports_organization_id_member_id FOREIGN KEY (organization_id, member_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT fk_people_imports_organization_id_sequence_id FOREIGN KEY (organization_id, sequence_id)
                REFERENCES sequences (organization_id, id),
            CONSTRAINT ck_people_imports_status CHECK (status IN ('checking', 'checked', 'refused', 'importing', 'imported')),
            CONSTRAINT ck_people_imports_a_day CHECK (a_day > 0),
            CONSTRAINT ck_people_imports_content CHECK ((content IS NULL) = (status = 'imported'))
        );
        -- Encrypted bytes do not compress.
        ALTER TABLE people_imports ALTER COLUMN content SET STORAGE EXTERNAL, ALTER COLUMN report SET STORAGE EXTERNAL,
            ALTER COLUMN left_out SET STORAGE EXTERNAL;
        CREATE INDEX ix_people_imports_made ON people_imports (organization_id, created_at);
        ALTER TABLE people_imports ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON people_imports TO onbehalf_tenant USING (organization_id = {_OWN});

        CREATE TABLE column_mappings (
            organization_id uuid NOT NULL CONSTRAINT fk_column_mappings_organization_id REFERENCES organizations (id),
            headers bytea NOT NULL,
            mapping jsonb NOT NULL,
            used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_column_mappings PRIMARY KEY (organization_id, headers),
            CONSTRAINT ck_column_mappings_headers CHECK (octet_length(headers) = 32)
        );
        ALTER TABLE column_mappings ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON column_mappings TO onbehalf_tenant USING (organization_id = {_OWN});
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM outbox WHERE kind = 'import_people';
        DROP TABLE column_mappings;
        DROP TABLE people_imports;
        ALTER TABLE organizations DROP COLUMN recontact_days;
    """)
