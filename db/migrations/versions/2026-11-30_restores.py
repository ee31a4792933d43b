"""A database that was restored from a backup looks for each email of its people before it sends one."""

from alembic import op

revision = "2026_11_30_restores"
down_revision = "2026_11_30_times_of_day"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE restores (
            at timestamptz NOT NULL CONSTRAINT pk_restores PRIMARY KEY DEFAULT clock_timestamp(),
            restored_to timestamptz NOT NULL,
            noted_by text NOT NULL,
            CONSTRAINT ck_restores_past CHECK (restored_to <= at)
        );
        -- Now, not after all migrations: whoever plans a next step meanwhile reads it, by the trigger below.
        GRANT SELECT ON restores TO onbehalf_worker, onbehalf_tenant;
        -- Steps that are planned later for people who were enrolled before: they too may have been sent from the lost time.
        CREATE FUNCTION note_lost_time() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE newest restores;
        BEGIN
          SELECT r.* INTO newest FROM restores r ORDER BY at DESC LIMIT 1;
          IF newest.at > (SELECT created_at FROM enrollments WHERE id = NEW.enrollment_id) THEN
            NEW.attempts := 1;
            NEW.releases := 1;
            -- Where nobody can search, only those whose turn may have come in the time that was lost.
            IF NEW.due_at - (newest.at - newest.restored_to) <= newest.at
                AND NOT EXISTS (SELECT FROM mailboxes WHERE id = NEW.mailbox_id AND provider IN ('graph', 'gmail')) THEN
              NEW.send_started_at := newest.at;
            END IF;
          END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER deliveries_lost_time BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION note_lost_time();
    """)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER deliveries_lost_time ON deliveries;
        DROP FUNCTION note_lost_time();
        DROP TABLE restores;
    """)
