"""Steps keep what they said before, people remember what was added behind them, sequences can be set back to draft, and a
permission knows who gave it."""

from alembic import op

revision = "2026_11_28_step_identity"
down_revision = "2026_11_28_graph_answers"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("""
        ALTER TABLE steps ADD COLUMN key text, ADD COLUMN former jsonb NOT NULL DEFAULT '{}';
        CREATE UNIQUE INDEX uq_steps_key ON steps (sequence_id, key) WHERE retired_at IS NULL;
        ALTER TABLE enrollments ADD COLUMN passed uuid[] NOT NULL DEFAULT '{}';
        ALTER TABLE sequences ADD COLUMN set_back_at timestamptz, ADD COLUMN set_back_by text;
        ALTER TABLE grants ADD COLUMN given_by_kind text NOT NULL DEFAULT 'member'
                CONSTRAINT ck_grants_given_by_kind CHECK (given_by_kind IN ('member', 'operator', 'import')),
            ADD COLUMN given_by text NOT NULL DEFAULT '',
            ADD COLUMN confirmed_at timestamptz;
    """)
    # Until now a step was known by its place, so nobody is owed what stands before the furthest place they have reached.
    op.execute("""
        UPDATE enrollments e SET passed = behind.ids FROM (
            SELECT reached.enrollment_id, array_agg(t.id) AS ids
            FROM (SELECT d.enrollment_id, d.sequence_id, max(s.position) AS position FROM deliveries d
                  JOIN steps s ON s.id = d.step_id GROUP BY 1, 2) reached
            JOIN steps t ON t.sequence_id = reached.sequence_id AND t.retired_at IS NULL AND t.position <= reached.position
            WHERE NOT EXISTS (SELECT FROM deliveries x WHERE x.enrollment_id = reached.enrollment_id AND x.step_id = t.id)
            GROUP BY 1) behind
        WHERE behind.enrollment_id = e.id
    """)
    # The audit trail says who gave a permission: operators act under that name, the demo by its file, anybody else on a page.
    op.execute("""
        UPDATE grants g SET given_by = a.actor,
            given_by_kind = CASE WHEN a.actor LIKE 'operator %' THEN 'operator' WHEN a.actor = 'demo' THEN 'import' ELSE 'member' END
        FROM audit_entries a WHERE a.organization_id = g.organization_id AND a.subject = 'grant:' || g.id AND a.action = 'grant_given'
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE grants DROP COLUMN given_by_kind, DROP COLUMN given_by, DROP COLUMN confirmed_at;
        ALTER TABLE sequences DROP COLUMN set_back_at, DROP COLUMN set_back_by;
        ALTER TABLE enrollments DROP COLUMN passed;
        DROP INDEX uq_steps_key;
        ALTER TABLE steps DROP COLUMN key, DROP COLUMN former;
    """)
