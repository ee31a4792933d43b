"""What the frame of the pages asks for: people by the beginning of their name or address, and a member's own time zone."""

from alembic import op

revision = "2026_11_29_frame"
down_revision = "2026_11_29_messages"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Row-level security keeps functions that are not leakproof (lower, LIKE, pg_trgm's) from an index: these columns are
    # compared as they are.
    op.execute("""
        ALTER TABLE members ADD COLUMN time_zone text;
        ALTER TABLE candidates
            ADD COLUMN whole_name text COLLATE "C" GENERATED ALWAYS AS (lower(btrim(first_name || ' ' || last_name))) STORED,
            ADD COLUMN family_name text COLLATE "C" GENERATED ALWAYS AS (lower(last_name)) STORED;
        CREATE INDEX ix_candidates_whole_name ON candidates (organization_id, whole_name);
        CREATE INDEX ix_candidates_family_name ON candidates (organization_id, family_name);
        CREATE INDEX ix_candidates_email ON candidates (organization_id, email COLLATE "C");
        CREATE INDEX ix_incoming_messages_waiting ON incoming_messages (organization_id, received_at)
            WHERE status = 'matched' AND handled_at IS NULL AND overruled_at IS NULL
                AND (kind IN ('answer', 'unclear') OR (kind = 'opt_out' AND opt_out_words IS NOT NULL));
        CREATE INDEX ix_notices_unread ON notices (owner_id) WHERE read_at IS NULL AND channel = 'in_app';
    """)


def downgrade() -> None:
    op.execute("""
        DROP INDEX ix_notices_unread;
        DROP INDEX ix_incoming_messages_waiting;
        DROP INDEX ix_candidates_email;
        ALTER TABLE candidates DROP COLUMN whole_name, DROP COLUMN family_name;
        ALTER TABLE members DROP COLUMN time_zone;
    """)
