"""A mailbox has sending hours of its own, which its owner sets; they count instead of those that its provider states.

The database keeps them where every release looks for the mailbox's hours, also when a process of an earlier release stores what the
provider states.
"""

from alembic import op

revision = "2026_11_30_own_hours"
down_revision = "2026_11_30_brought_in"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE mailboxes ADD COLUMN own_hours jsonb;
        CREATE FUNCTION keep_own_hours() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE
                said jsonb := coalesce(NEW.settings, '{}');
            BEGIN
                IF said ? 'stated_window' THEN
                    said := (said - 'stated_window') || jsonb_build_object('window', said->'stated_window');
                END IF;
                IF NEW.own_hours IS NOT NULL THEN
                    said := said || jsonb_build_object('stated_window', said->'window', 'window', NEW.own_hours);
                END IF;
                IF NEW.settings IS NOT NULL OR NEW.own_hours IS NOT NULL THEN
                    NEW.settings := said;
                END IF;
                RETURN NEW;
            END $$;
        CREATE TRIGGER mailboxes_own_hours BEFORE UPDATE OF settings, own_hours ON mailboxes
            FOR EACH ROW EXECUTE FUNCTION keep_own_hours();
    """)


def downgrade() -> None:
    op.execute("""
        UPDATE mailboxes SET own_hours = NULL WHERE own_hours IS NOT NULL;
        DROP TRIGGER mailboxes_own_hours ON mailboxes;
        DROP FUNCTION keep_own_hours();
        ALTER TABLE mailboxes DROP COLUMN own_hours;
    """)
