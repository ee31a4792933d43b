"""The first email on a permission waits until the mailbox's owner has read it. The database itself keeps it from leaving.

Processes of earlier releases know nothing of this. Their schedulers find such an email held instead of queued, and their workers find it gone
when they would pass the gate with it.
"""

from alembic import op

revision = "2026_11_30_first_email"
down_revision = "2026_11_30_numbers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE grants ADD COLUMN first_email jsonb;
        CREATE INDEX ix_grants_first_email ON grants (mailbox_id)
            WHERE archived_at IS NULL AND first_email IS NOT NULL AND (first_email->>'by') IS NULL;
        CREATE INDEX ix_deliveries_first_email ON deliveries (mailbox_id, due_at, id)
            WHERE state = 'pending' AND held AND reason = 'waits_for_mailbox_owner';
        -- As domain.grant.usable_grant chooses: one with emails left for today, then a personal one.
        CREATE FUNCTION waits_for_mailbox_owner(mailbox uuid, sequence uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
        BEGIN
          -- Almost always: then the statement below costs nothing.
          IF NOT EXISTS (SELECT FROM grants WHERE mailbox_id = mailbox AND archived_at IS NULL AND first_email IS NOT NULL
              AND (first_email->>'by') IS NULL) THEN
            RETURN false;
          END IF;
          RETURN coalesce((SELECT g.first_email IS NOT NULL AND (g.first_email->>'by') IS NULL
              FROM sequences s JOIN mailboxes b ON b.id = mailbox JOIN lanes l ON l.mailbox_id = b.id
              JOIN grants g ON g.mailbox_id = b.id AND coalesce(g.grantee_id, s.owner_id) = s.owner_id
              WHERE s.id = sequence AND s.owner_id <> b.owner_id AND g.archived_at IS NULL
                AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp())
                AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids))
              ORDER BY coalesce(g.used_today >= g.daily_limit AND g.used_on = (clock_timestamp() AT TIME ZONE l.zone)::date, false),
                g.grantee_id IS NULL LIMIT 1), false);
        END $$;
        CREATE FUNCTION hold_first_email() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF waits_for_mailbox_owner(NEW.mailbox_id, NEW.sequence_id)
              AND EXISTS (SELECT FROM steps WHERE id = NEW.step_id AND retired_at IS NULL) THEN
            IF NEW.state = 'sending' THEN
              RETURN NULL;
            END IF;
            NEW.state := 'pending';
            NEW.held := true;
            NEW.reason := 'waits_for_mailbox_owner';
          END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER deliveries_first_email BEFORE UPDATE OF state ON deliveries FOR EACH ROW
            WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state IN ('queued', 'sending'))
            EXECUTE FUNCTION hold_first_email();
    """)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER deliveries_first_email ON deliveries;
        DROP FUNCTION hold_first_email();
        DROP FUNCTION waits_for_mailbox_owner(uuid, uuid);
        DROP INDEX ix_deliveries_first_email;
        ALTER TABLE grants DROP COLUMN first_email;
    """)
