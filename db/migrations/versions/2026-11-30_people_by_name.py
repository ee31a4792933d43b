"""The list of people goes along an index of names; people of one name, or of none, by address.

Earlier releases search by the same index.
"""

from alembic import op

revision = "2026_11_30_people_by_name"
down_revision = "2026_11_30_gmail"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        DROP INDEX ix_candidates_whole_name;
        CREATE INDEX ix_candidates_whole_name ON candidates (organization_id, whole_name, email);
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_candidates_whole_name;
        CREATE INDEX ix_candidates_whole_name ON candidates (organization_id, whole_name);
    """)
