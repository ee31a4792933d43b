"""Holds: a mailbox, an organization or the whole installation sends nothing until somebody releases it, or until a time."""

from alembic import op

revision = "2026_11_30_holds"
down_revision = "2026_11_30_lost_keys"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"
_WITH_WORK = """
    CREATE OR REPLACE VIEW metrics_mailboxes_with_work AS
    SELECT count(*) AS mailboxes FROM lanes l WHERE open AND next_due_at <= now()
    AND (retry_after_until IS NULL OR retry_after_until <= now())
"""


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE holds (
            id uuid NOT NULL CONSTRAINT pk_holds PRIMARY KEY,
            organization_id uuid CONSTRAINT fk_holds_organization_id REFERENCES organizations (id),
            mailbox_id uuid,
            level text NOT NULL,
            held_by text NOT NULL,
            reason text NOT NULL,
            since timestamptz NOT NULL DEFAULT clock_timestamp(),
            until timestamptz,
            ended_at timestamptz,
            ended_by text,
            CONSTRAINT fk_holds_organization_id_mailbox_id FOREIGN KEY (organization_id, mailbox_id)
                REFERENCES mailboxes (organization_id, id) ON DELETE CASCADE,
            CONSTRAINT ck_holds_level CHECK (level IN ('owner', 'admin', 'operator')),
            CONSTRAINT ck_holds_installation CHECK (organization_id IS NOT NULL OR (mailbox_id IS NULL AND level = 'operator')),
            CONSTRAINT ck_holds_owner CHECK (level <> 'owner' OR mailbox_id IS NOT NULL),
            CONSTRAINT ck_holds_ended CHECK ((ended_at IS NULL) = (ended_by IS NULL))
        );
        CREATE INDEX ix_holds_open ON holds (organization_id, mailbox_id) WHERE ended_at IS NULL;
        ALTER TABLE holds ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON holds TO onbehalf_tenant USING (organization_id = {_OWN});
        -- A drain stops everybody, so everybody may see it; what an operator holds, only an operator releases.
        CREATE POLICY sees_drains ON holds FOR SELECT TO onbehalf_tenant USING (organization_id IS NULL);
        CREATE POLICY places_own ON holds AS RESTRICTIVE FOR INSERT TO onbehalf_tenant WITH CHECK (level <> 'operator');
        CREATE POLICY changes_own ON holds AS RESTRICTIVE FOR UPDATE TO onbehalf_tenant USING (level <> 'operator');

        -- What keeps a mailbox from sending now: of several holds, the one that lasts longest. Without arguments, of everybody.
        CREATE FUNCTION hold_of(organization uuid, mailbox uuid) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
            BEGIN
                RETURN (SELECT to_jsonb(h) FROM holds h WHERE h.ended_at IS NULL AND (h.until IS NULL OR h.until > clock_timestamp())
                    AND (h.organization_id IS NULL
                        OR h.organization_id = organization AND (h.mailbox_id IS NULL OR h.mailbox_id = mailbox))
                    ORDER BY h.until DESC NULLS FIRST, h.since LIMIT 1);
            END $$;
        -- Whoever reads this view reads no table, and so calls no function that does.
        {_WITH_WORK} AND NOT EXISTS (SELECT FROM holds h WHERE h.ended_at IS NULL AND (h.until IS NULL OR h.until > clock_timestamp())
            AND (h.organization_id IS NULL
                OR h.organization_id = l.organization_id AND (h.mailbox_id IS NULL OR h.mailbox_id = l.mailbox_id)));
    """)


def downgrade() -> None:
    op.execute(f"""
        {_WITH_WORK};
        DROP FUNCTION hold_of;
        DROP TABLE holds;
    """)
