"""Signatures of mailboxes, and which sequences carry them: those that are made from now on. What is written already stays as it is."""

from alembic import op

revision = "2026_11_30_signatures"
down_revision = "2026_11_30_first_email"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE mailboxes ADD COLUMN signature text NOT NULL DEFAULT '',
            ADD COLUMN signature_version integer NOT NULL DEFAULT 0,
            ADD COLUMN former_signatures jsonb NOT NULL DEFAULT '{}';
        ALTER TABLE sequences ADD COLUMN with_signature boolean NOT NULL DEFAULT false;
        ALTER TABLE sequences ALTER COLUMN with_signature SET DEFAULT true;
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE sequences DROP COLUMN with_signature;
        ALTER TABLE mailboxes DROP COLUMN signature, DROP COLUMN signature_version, DROP COLUMN former_signatures;
    """)
