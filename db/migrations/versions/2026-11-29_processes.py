"""Processes say that they run: one row for each, written every ten seconds."""

from alembic import op

revision = "2026_11_29_processes"
down_revision = "2026_11_29_reading_failures"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE processes (
            id uuid NOT NULL CONSTRAINT pk_processes PRIMARY KEY,
            kind text NOT NULL,
            host text NOT NULL,
            pid integer NOT NULL,
            queues text[] NOT NULL,
            version text NOT NULL,
            schema text NOT NULL,
            key_ids text[] NOT NULL,
            troubles text[] NOT NULL,
            ready boolean NOT NULL GENERATED ALWAYS AS (troubles = '{}') STORED,
            started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            last_job_at timestamptz,
            stopped_at timestamptz,
            CONSTRAINT ck_processes_kind CHECK (kind IN ('scheduler', 'worker', 'web', 'inbox')),
            CONSTRAINT ck_processes_queues CHECK ((kind = 'worker') = (queues <> '{}'))
        );
    """)


def downgrade() -> None:
    op.execute("DROP TABLE processes")
