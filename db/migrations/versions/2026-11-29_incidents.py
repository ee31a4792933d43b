"""Incidents: notices of what is not over, with their state; who hears of them if their owner does not read them."""

from alembic import op

revision = "2026_11_29_incidents"
down_revision = "2026_11_29_handovers"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(f"""
        ALTER TABLE organizations ADD COLUMN unread_hours integer NOT NULL DEFAULT 24,
            ADD CONSTRAINT ck_organizations_unread_hours CHECK (unread_hours BETWEEN 1 AND 168);
        ALTER TABLE members ADD COLUMN backup_id uuid,
            ADD COLUMN quiet_from time, ADD COLUMN quiet_until time, ADD COLUMN summary_on date,
            ADD CONSTRAINT ck_members_quiet CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)),
            ADD CONSTRAINT ck_members_backup CHECK (backup_id <> id),
            ADD CONSTRAINT fk_members_organization_id_backup_id FOREIGN KEY (organization_id, backup_id)
                REFERENCES members (organization_id, id);
        ALTER TABLE notices ADD COLUMN opened_at timestamptz, ADD COLUMN acknowledged_at timestamptz,
            ADD COLUMN acknowledged_by text, ADD COLUMN escalated_at timestamptz, ADD COLUMN closed_at timestamptz,
            ADD COLUMN in_summary boolean,
            ADD CONSTRAINT ck_notices_incident CHECK (opened_at IS NULL OR channel = 'in_app'),
            ADD CONSTRAINT ck_notices_acknowledged_by CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL));
        CREATE INDEX ix_notices_open_incidents ON notices (organization_id, id)
            WHERE opened_at IS NOT NULL AND closed_at IS NULL;
        CREATE INDEX ix_notices_closed_incidents ON notices (organization_id, closed_at) WHERE closed_at IS NOT NULL;
        CREATE INDEX ix_notices_in_summary ON notices (owner_id, id) WHERE in_summary;

        CREATE TABLE notice_preferences (
            member_id uuid NOT NULL,
            category text NOT NULL,
            organization_id uuid NOT NULL CONSTRAINT fk_notice_preferences_organization_id REFERENCES organizations (id),
            by_email text NOT NULL,
            channel_ids uuid[] NOT NULL DEFAULT '{{}}',
            CONSTRAINT pk_notice_preferences PRIMARY KEY (member_id, category),
            CONSTRAINT fk_notice_preferences_organization_id_member_id FOREIGN KEY (organization_id, member_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT ck_notice_preferences_category CHECK (category IN ('stopped', 'decisions', 'answers', 'news')),
            CONSTRAINT ck_notice_preferences_by_email CHECK (by_email IN ('at_once', 'daily', 'never'))
        );
        ALTER TABLE notice_preferences ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON notice_preferences TO onbehalf_tenant USING (organization_id = {_OWN});

        CREATE TABLE notice_channels (
            id uuid NOT NULL CONSTRAINT pk_notice_channels PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_notice_channels_organization_id REFERENCES organizations (id),
            member_id uuid NOT NULL,
            service text NOT NULL,
            name text NOT NULL,
            sealed_url bytea,
            url_digest bytea,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            removed_at timestamptz,
            last_answer text,
            last_at timestamptz,
            CONSTRAINT fk_notice_channels_organization_id_member_id FOREIGN KEY (organization_id, member_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT uq_notice_channels_organization_id_id UNIQUE (organization_id, id),
            CONSTRAINT ck_notice_channels_name CHECK (name <> ''),
            CONSTRAINT ck_notice_channels_erased
                CHECK ((removed_at IS NULL) = (sealed_url IS NOT NULL) AND (removed_at IS NULL) = (url_digest IS NOT NULL))
        );
        CREATE INDEX ix_notice_channels_member ON notice_channels (member_id);
        CREATE UNIQUE INDEX ix_notice_channels_same ON notice_channels (member_id, url_digest) WHERE removed_at IS NULL;
        ALTER TABLE notice_channels ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON notice_channels TO onbehalf_tenant USING (organization_id = {_OWN});

        CREATE TABLE channel_notices (
            channel_id uuid NOT NULL,
            cause_key text NOT NULL,
            organization_id uuid NOT NULL CONSTRAINT fk_channel_notices_organization_id REFERENCES organizations (id),
            state text NOT NULL,
            lease_until timestamptz,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_channel_notices PRIMARY KEY (channel_id, cause_key),
            CONSTRAINT fk_channel_notices_organization_id_channel_id FOREIGN KEY (organization_id, channel_id)
                REFERENCES notice_channels (organization_id, id),
            CONSTRAINT ck_channel_notices_state CHECK (state IN ('sending', 'sent', 'failed', 'unknown')),
            CONSTRAINT ck_channel_notices_lease CHECK ((state = 'sending') = (lease_until IS NOT NULL))
        );
        CREATE INDEX ix_channel_notices_created ON channel_notices (created_at);
        CREATE INDEX ix_channel_notices_lease ON channel_notices (organization_id, lease_until) WHERE lease_until IS NOT NULL;
        ALTER TABLE channel_notices ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON channel_notices TO onbehalf_tenant USING (organization_id = {_OWN});
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM outbox WHERE kind = 'notify_channel';
        DROP TABLE channel_notices;
        DROP TABLE notice_channels;
        DROP TABLE notice_preferences;
        DROP INDEX ix_notices_in_summary;
        DROP INDEX ix_notices_closed_incidents;
        DROP INDEX ix_notices_open_incidents;
        ALTER TABLE notices DROP COLUMN opened_at, DROP COLUMN acknowledged_at, DROP COLUMN acknowledged_by,
            DROP COLUMN escalated_at, DROP COLUMN closed_at, DROP COLUMN in_summary;
        ALTER TABLE members DROP COLUMN backup_id, DROP COLUMN quiet_from, DROP COLUMN quiet_until, DROP COLUMN summary_on;
        ALTER TABLE organizations DROP COLUMN unread_hours;
    """)
