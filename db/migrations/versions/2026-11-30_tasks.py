"""Steps that a person does by hand. The database itself keeps them from being queued, and lets none of them pass the gate.

Processes of earlier releases know nothing of tasks: whatever they write, an open task stays held, so no scheduler of theirs queues it.
"""

from alembic import op

from db.schema.constraints import extend_check, restrict_check

revision = "2026_11_30_tasks"
down_revision = "2026_11_30_restores"
branch_labels = None
depends_on = None

_FIRST = "ALTER TABLE steps DROP CONSTRAINT ck_steps_first_has_subject, ADD CONSTRAINT ck_steps_first_has_subject CHECK"


def upgrade() -> None:
    extend_check("steps", "ck_steps_kind", "task")
    extend_check("deliveries", "ck_deliveries_outcome_known", "done")
    op.execute(f"""
        {_FIRST} (position > 1 OR subject IS NOT NULL OR kind = 'task');
        ALTER TABLE steps ADD CONSTRAINT ck_steps_task CHECK (kind <> 'task' OR subject IS NULL);
        ALTER TABLE deliveries ADD COLUMN task jsonb,
            ADD CONSTRAINT ck_deliveries_task CHECK (outcome IS DISTINCT FROM 'done' OR task IS NOT NULL);
        CREATE INDEX ix_deliveries_task ON deliveries (organization_id, due_at, id)
            WHERE state = 'pending' AND held AND reason = 'waits_for_task';
        CREATE FUNCTION hold_for_person() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
          step record;
        BEGIN
          SELECT kind, retired_at IS NOT NULL AS retired INTO step FROM steps WHERE id = NEW.step_id;
          IF step.kind = 'task' AND NEW.state = 'sending' THEN
            RETURN NULL;
          END IF;
          IF step.retired THEN
            RETURN NEW;
          END IF;
          IF step.kind = 'task' THEN
            NEW.state := 'pending';
            NEW.held := true;
            NEW.reason := 'waits_for_task';
          ELSIF step.kind = 'approval' AND NEW.approval IS NULL AND NEW.state IN ('queued', 'sending') THEN
            IF NEW.state = 'sending' THEN
              RETURN NULL;
            END IF;
            NEW.state := 'pending';
            NEW.held := true;
            NEW.reason := 'waits_for_approval';
          END IF;
          RETURN NEW;
        END $$;
        DROP TRIGGER deliveries_approval ON deliveries;
        DROP FUNCTION hold_for_approval();
        CREATE TRIGGER deliveries_for_person BEFORE UPDATE OF state, held, reason ON deliveries FOR EACH ROW
            WHEN ((OLD.state, OLD.held, OLD.reason) IS DISTINCT FROM (NEW.state, NEW.held, NEW.reason) AND
              (NEW.state IN ('queued', 'sending') AND OLD.state <> NEW.state OR
               NEW.state = 'pending' AND NOT (NEW.held AND NEW.reason IS NOT DISTINCT FROM 'waits_for_task')))
            EXECUTE FUNCTION hold_for_person();
        CREATE TRIGGER deliveries_for_person_new BEFORE INSERT ON deliveries FOR EACH ROW
            WHEN (NEW.state IN ('pending', 'queued', 'sending')) EXECUTE FUNCTION hold_for_person();
    """)


def downgrade() -> None:
    op.execute(f"""
        DROP TRIGGER deliveries_for_person_new ON deliveries;
        DROP TRIGGER deliveries_for_person ON deliveries;
        DROP FUNCTION hold_for_person();
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
        DROP INDEX ix_deliveries_task;
        ALTER TABLE deliveries DROP COLUMN task;
        ALTER TABLE steps DROP CONSTRAINT ck_steps_task;
        {_FIRST} (position > 1 OR subject IS NOT NULL);
    """)
    restrict_check("deliveries", "ck_deliveries_outcome_known", "done")
    restrict_check("steps", "ck_steps_kind", "task")
