"""Processes say whether they work at all, and each sign-in by which key it is sealed: one lost key stops only what it sealed."""

from alembic import op

revision = "2026_11_30_lost_keys"
down_revision = "2026_11_29_processes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE processes ADD COLUMN works boolean NOT NULL DEFAULT true, DROP COLUMN ready;
        ALTER TABLE credentials
            ADD COLUMN key_id text GENERATED ALWAYS AS (encode(substr(refresh_token, 2, 8), 'hex')) STORED;
        ALTER TABLE smtp_settings
            ADD COLUMN key_id text GENERATED ALWAYS AS (encode(substr(password, 2, 8), 'hex')) STORED;
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE smtp_settings DROP COLUMN key_id;
        ALTER TABLE credentials DROP COLUMN key_id;
        ALTER TABLE processes DROP COLUMN works,
            ADD COLUMN ready boolean NOT NULL GENERATED ALWAYS AS (troubles = '{}') STORED;
    """)
