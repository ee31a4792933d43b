"""A person's address can be corrected: emails remember the address they went to, and a sequence can begin anew under another one.
People are found by their company.

Earlier releases go on as before: whatever they write has the first run, and no address of its own.
"""

from alembic import op

revision = "2026_11_30_people"
down_revision = "2026_11_30_tasks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE enrollments ADD COLUMN run integer NOT NULL DEFAULT 1,
            ADD CONSTRAINT uq_enrollments_sequence_id_candidate_id_run UNIQUE (sequence_id, candidate_id, run),
            DROP CONSTRAINT uq_enrollments_sequence_id_candidate_id;
        ALTER TABLE deliveries ADD COLUMN sent_to text;
        ALTER TABLE candidates
            ADD COLUMN company_name text COLLATE "C" GENERATED ALWAYS AS (lower(btrim(company))) STORED;
        CREATE INDEX ix_candidates_company_name ON candidates (organization_id, company_name);
        CREATE INDEX ix_deliveries_sent_to ON deliveries (organization_id, sent_to) WHERE sent_to IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_deliveries_sent_to;
        ALTER TABLE candidates DROP COLUMN company_name;
        ALTER TABLE deliveries DROP COLUMN sent_to;
        ALTER TABLE enrollments DROP CONSTRAINT uq_enrollments_sequence_id_candidate_id_run,
            ADD CONSTRAINT uq_enrollments_sequence_id_candidate_id UNIQUE (sequence_id, candidate_id),
            DROP COLUMN run;
    """)
