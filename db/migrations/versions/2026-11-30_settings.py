"""A member chooses the mailbox that their new sequences send from, and what left on a permission is found by it.

API keys may have an end, and webhooks their events, a pause and a second secret. Earlier releases know none of that: a web process
takes an expired key, and a worker calls a disabled webhook and signs with its first secret alone. Replace them first.
"""

from alembic import op

revision = "2026_11_30_settings"
down_revision = "2026_11_30_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE members ADD COLUMN default_mailbox_id uuid;
        CREATE INDEX ix_receipts_grant ON receipts (grant_id, accepted_at, delivery_id) WHERE grant_id IS NOT NULL;
        ALTER TABLE api_keys ADD COLUMN expires_at timestamptz, ADD COLUMN former_hash bytea, ADD COLUMN former_until timestamptz,
            ADD CONSTRAINT uq_api_keys_former_hash UNIQUE (former_hash),
            ADD CONSTRAINT ck_api_keys_former CHECK ((former_hash IS NULL) = (former_until IS NULL));
        ALTER TABLE webhooks ADD COLUMN events text[], ADD COLUMN disabled_at timestamptz, ADD COLUMN next_secret bytea,
            ADD COLUMN replacing boolean NOT NULL GENERATED ALWAYS AS (next_secret IS NOT NULL) STORED,
            ADD COLUMN secret_confirmed_at timestamptz,
            ADD CONSTRAINT ck_webhooks_events CHECK (cardinality(events) > 0);
        CREATE FUNCTION take_next_secret() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.next_secret IS NOT NULL THEN
                NEW.secret := OLD.next_secret;
                NEW.next_secret := NULL;
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER next_secret BEFORE UPDATE OF secret_confirmed_at ON webhooks
            FOR EACH ROW EXECUTE FUNCTION take_next_secret();
    """)


def downgrade() -> None:
    op.execute("""
        DROP TRIGGER next_secret ON webhooks;
        DROP FUNCTION take_next_secret();
        ALTER TABLE webhooks DROP COLUMN events, DROP COLUMN disabled_at, DROP COLUMN replacing, DROP COLUMN next_secret,
            DROP COLUMN secret_confirmed_at;
        ALTER TABLE api_keys DROP COLUMN former_hash, DROP COLUMN former_until, DROP COLUMN expires_at;
        DROP INDEX ix_receipts_grant;
        ALTER TABLE members DROP COLUMN default_mailbox_id;
    """)
