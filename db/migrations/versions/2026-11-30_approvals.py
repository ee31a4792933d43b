"""Steps whose emails wait for a person's approval. The database itself keeps an email without one from leaving.

Processes of earlier releases know nothing of approvals. Their schedulers find such an email held instead of queued, and their workers
find it gone when they would pass the gate with it.
"""

from alembic import op

revision = "2026_11_30_approvals"
down_revision = "2026_11_30_operations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE steps ADD COLUMN kind text NOT NULL DEFAULT 'automatic',
            ADD CONSTRAINT ck_steps_kind CHECK (kind IN ('automatic', 'approval'));
        ALTER TABLE deliveries ADD COLUMN approval jsonb;
        CREATE INDEX ix_deliveries_approval ON deliveries (organization_id, due_at, id)
            WHERE state = 'pending' AND held AND reason = 'waits_for_approval';
        CREATE FUNCTION hold_for_approval() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF EXISTS (SELECT FROM steps WHERE id = NEW.step_id AND kind = 'approval' AND retired_at IS NULL) THEN
            IF NEW.state = 'sending' THEN
              RETURN NULL;
            END IF;
            NEW.state := 'pending';
            NEW.held := true;
            NEW.reason := 'waits_for_approval';
          END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER deliveries_approval BEFORE UPDATE OF state ON deliveries FOR EACH ROW
            WHEN (NEW.approval IS NULL AND OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('queued', 'sending'))
            EXECUTE FUNCTION hold_for_approval();
    """)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER deliveries_approval ON deliveries;
        DROP FUNCTION hold_for_approval();
        DROP INDEX ix_deliveries_approval;
        ALTER TABLE deliveries DROP COLUMN approval;
        ALTER TABLE steps DROP COLUMN kind;
    """)
