"""What web asks of workers, and tokens and passwords that it may write and not read."""

from alembic import op

revision = "2026_11_28_seal"
down_revision = "2026_11_28_pages"

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE errands (
            id uuid NOT NULL CONSTRAINT pk_errands PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_errands_organization_id REFERENCES organizations (id),
            kind text NOT NULL,
            subject_id uuid NOT NULL,
            detail text NOT NULL DEFAULT '',
            actor_kind text NOT NULL,
            actor_id text NOT NULL,
            actor_name text NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            begin_until timestamptz NOT NULL,
            begun_at timestamptz,
            ended_at timestamptz,
            answer jsonb,
            CONSTRAINT ck_errands_kind CHECK (kind IN ('send_test_email', 'check_settings', 'try_server', 'read_domains',
                'watch_approval', 'recall_draft', 'look_once_more')),
            CONSTRAINT ck_errands_ended CHECK (ended_at IS NULL OR begun_at IS NOT NULL)
        );
        CREATE INDEX ix_errands_created ON errands (created_at);
        GRANT SELECT, INSERT, UPDATE, DELETE ON errands TO onbehalf_tenant;
        ALTER TABLE errands ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON errands TO onbehalf_tenant USING (organization_id = {_OWN});

        ALTER TABLE credentials
            ADD COLUMN renewable boolean NOT NULL GENERATED ALWAYS AS (refresh_token IS NOT NULL) STORED,
            ADD COLUMN last_token bytea,
            ADD COLUMN last_token_until timestamptz,
            ADD CONSTRAINT ck_credentials_last_token CHECK ((last_token IS NULL) = (last_token_until IS NULL));
        ALTER TABLE smtp_settings
            ADD COLUMN has_password boolean NOT NULL GENERATED ALWAYS AS (password IS NOT NULL) STORED;
        ALTER TABLE sessions
            ADD COLUMN keeps_token boolean NOT NULL GENERATED ALWAYS AS (refresh_token IS NOT NULL) STORED;
        ALTER TABLE webhooks ADD COLUMN url_code bytea;

        -- A withdrawal erases tokens that it may not read. The last access token stays, for workers alone and for a moment, to
        -- remove drafts with: whoever sets last_token_until has it put aside, whoever takes that back has it erased.
        CREATE FUNCTION put_last_token_aside() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.last_token_until IS NULL THEN
                NEW.last_token := NULL;
            ELSIF NEW.access_token IS NULL AND OLD.access_token IS NOT NULL THEN
                NEW.last_token := OLD.access_token;
            END IF;
            IF NEW.last_token IS NULL THEN
                NEW.last_token_until := NULL;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER last_token BEFORE UPDATE ON credentials FOR EACH ROW EXECUTE FUNCTION put_last_token_aside();
    """)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER last_token ON credentials;
        DROP FUNCTION put_last_token_aside();
        ALTER TABLE webhooks DROP COLUMN url_code;
        ALTER TABLE sessions DROP COLUMN keeps_token;
        ALTER TABLE smtp_settings DROP COLUMN has_password;
        ALTER TABLE credentials DROP CONSTRAINT ck_credentials_last_token, DROP COLUMN last_token_until,
            DROP COLUMN last_token, DROP COLUMN renewable;
        DELETE FROM outbox WHERE kind = 'run_errand';
        DROP TABLE errands;
    """)
