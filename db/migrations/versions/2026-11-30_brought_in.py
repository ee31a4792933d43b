"""Members bring people in without a sequence, and see them.

Workers of earlier releases import such a file without writing down who brought the people in.
"""

from alembic import op

revision = "2026_11_30_brought_in"
down_revision = "2026_11_30_people_by_name"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE brought_in (
            organization_id uuid NOT NULL CONSTRAINT fk_brought_in_organization_id REFERENCES organizations (id),
            member_id uuid NOT NULL,
            candidate_id uuid NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_brought_in PRIMARY KEY (member_id, candidate_id),
            CONSTRAINT fk_brought_in_organization_id_member_id FOREIGN KEY (organization_id, member_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT fk_brought_in_organization_id_candidate_id FOREIGN KEY (organization_id, candidate_id)
                REFERENCES candidates (organization_id, id)
        );
        CREATE INDEX ix_brought_in_candidate ON brought_in (candidate_id);
        ALTER TABLE brought_in ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON brought_in TO onbehalf_tenant USING (organization_id = {_OWN});
    """)


def downgrade() -> None:
    op.execute("DROP TABLE brought_in")
