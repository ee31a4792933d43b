"""Keep organizations apart: domains that are theirs, proofs of addresses, leases of webhook calls, secrets not kept in clear."""

from alembic import op

revision = "2026_11_28_tenants"
down_revision = "2026_11_28_identity"

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    _addresses()
    _webhooks()
    op.execute("""
        -- A subscription of before proves itself by a secret that no key derives. The next check makes another.
        DELETE FROM subscriptions;
        ALTER TABLE subscriptions DROP COLUMN state_hash, ADD COLUMN key_id bytea NOT NULL;
        -- Derived from the session's cookie, of which only a hash is kept.
        ALTER TABLE sessions DROP COLUMN form_key;
        -- Pages remove an address that was never in use, and may delete no credentials themselves.
        ALTER TABLE credentials DROP CONSTRAINT fk_credentials_organization_id_mailbox_id,
            ADD CONSTRAINT fk_credentials_organization_id_mailbox_id FOREIGN KEY (organization_id, mailbox_id)
            REFERENCES mailboxes (organization_id, id) ON DELETE CASCADE;
        ALTER TABLE api_keys DROP CONSTRAINT ck_api_keys_scopes;
        ALTER TABLE api_keys ADD CONSTRAINT ck_api_keys_scopes
            CHECK (scopes <@ ARRAY['read', 'manage', 'addresses'] AND cardinality(scopes) > 0);
        -- The key by which a program has asked in the requester's place.
        ALTER TABLE grant_requests ADD COLUMN program text NOT NULL DEFAULT '';
    """)


def _addresses() -> None:
    op.execute("""
        CREATE TABLE organization_domains (
            organization_id uuid NOT NULL CONSTRAINT fk_organization_domains_organization_id REFERENCES organizations (id),
            domain text NOT NULL,
            known_by text NOT NULL,
            verified_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_organization_domains PRIMARY KEY (organization_id, domain),
            CONSTRAINT ck_organization_domains_known_by CHECK (known_by IN ('operator', 'dns', 'microsoft', 'earlier')),
            CONSTRAINT ck_organization_domains_domain_lower CHECK (domain = lower(domain))
        );
        CREATE TABLE address_proofs (
            mailbox_id uuid NOT NULL CONSTRAINT pk_address_proofs PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_address_proofs_organization_id REFERENCES organizations (id),
            code_hash bytea,
            tries integer NOT NULL DEFAULT 0,
            asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            proven_at timestamptz,
            CONSTRAINT fk_address_proofs_organization_id_mailbox_id
                FOREIGN KEY (organization_id, mailbox_id) REFERENCES mailboxes (organization_id, id),
            CONSTRAINT ck_address_proofs_code CHECK (code_hash IS NOT NULL OR proven_at IS NOT NULL)
        );
    """)
    for table in ("organization_domains", "address_proofs"):
        op.execute(f"""
            GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO onbehalf_tenant;
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            CREATE POLICY tenant ON {table} TO onbehalf_tenant USING (organization_id = {_OWN});
        """)
    op.execute("""
        -- What a company sends from today goes on: its domain and its address count as proven.
        INSERT INTO organization_domains (organization_id, domain, known_by)
            SELECT DISTINCT organization_id, split_part(address, '@', 2), 'earlier' FROM mailboxes
            WHERE owner_id IS NULL AND provider <> 'default' AND connection_version > 0;
        INSERT INTO address_proofs (mailbox_id, organization_id, proven_at)
            SELECT id, organization_id, coalesce(connected_at, clock_timestamp()) FROM mailboxes
            WHERE owner_id IS NULL AND provider <> 'default' AND connection_version > 0;
        -- An address is taken by whoever sends from it, not by whoever wrote it down first.
        ALTER TABLE mailboxes DROP CONSTRAINT uq_mailboxes_address;
        ALTER TABLE mailboxes ADD CONSTRAINT uq_mailboxes_organization_id_address UNIQUE (organization_id, address);
        CREATE UNIQUE INDEX uq_mailboxes_connected ON mailboxes (address) WHERE status = 'connected';
        CREATE INDEX ix_members_email ON members (email);

        -- Asked by one organization of all of them: it says yes or no, and shows no row.
        CREATE FUNCTION is_a_persons_address(asked text) RETURNS boolean
            LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
            AS $$ SELECT EXISTS (SELECT FROM members WHERE email = lower(asked))
                OR EXISTS (SELECT FROM mailboxes WHERE address = lower(asked) AND owner_id IS NOT NULL) $$;
        REVOKE ALL ON FUNCTION is_a_persons_address FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION is_a_persons_address TO onbehalf_tenant;
    """)


def _webhooks() -> None:
    op.execute("""
        -- The URL may be a secret itself. The scheduler encrypts those of before (db/events/webhooks.py, seal_urls).
        DROP INDEX uq_webhooks_url;
        ALTER TABLE webhooks ALTER COLUMN url DROP NOT NULL, ADD COLUMN sealed_url bytea, ADD COLUMN host text;
        UPDATE webhooks SET host = coalesce(substring(url FROM '^[a-z]+://([^/?#]+)'), '');
        ALTER TABLE webhooks ALTER COLUMN host SET NOT NULL,
            ADD CONSTRAINT ck_webhooks_url CHECK ((url IS NULL) <> (sealed_url IS NULL));
        -- One call of an event at a time, and few of one organization.
        ALTER TABLE webhook_calls ADD COLUMN lease_until timestamptz;
        CREATE INDEX ix_webhook_calls_lease ON webhook_calls (organization_id, lease_until) WHERE lease_until IS NOT NULL;
    """)


def downgrade() -> None:
    op.execute("""
        ALTER TABLE credentials DROP CONSTRAINT fk_credentials_organization_id_mailbox_id,
            ADD CONSTRAINT fk_credentials_organization_id_mailbox_id FOREIGN KEY (organization_id, mailbox_id)
            REFERENCES mailboxes (organization_id, id);
        -- An address that several organizations had written down stays with whoever sends from it, else with the first.
        CREATE TEMPORARY TABLE spare ON COMMIT DROP AS
            SELECT b.id FROM mailboxes b WHERE b.connection_version = 0 AND b.owner_id IS NULL AND EXISTS (
                SELECT FROM mailboxes x WHERE x.address = b.address AND x.id <> b.id
                AND (x.connection_version > 0 OR x.owner_id IS NOT NULL OR x.id < b.id));
        DELETE FROM smtp_settings WHERE mailbox_id IN (SELECT id FROM spare);
        DELETE FROM credentials WHERE mailbox_id IN (SELECT id FROM spare);
        DELETE FROM lanes WHERE mailbox_id IN (SELECT id FROM spare);
        DROP TABLE address_proofs;
        DELETE FROM mailboxes WHERE id IN (SELECT id FROM spare);
        DROP TABLE organization_domains;
        DROP FUNCTION is_a_persons_address;
        DROP INDEX ix_members_email;
        DROP INDEX uq_mailboxes_connected;
        ALTER TABLE mailboxes DROP CONSTRAINT uq_mailboxes_organization_id_address;
        ALTER TABLE mailboxes ADD CONSTRAINT uq_mailboxes_address UNIQUE (address);

        DROP INDEX ix_webhook_calls_lease;
        ALTER TABLE webhook_calls DROP COLUMN lease_until;
        -- What is encrypted cannot be read here: those webhooks have to be added again.
        DELETE FROM webhook_calls WHERE webhook_id IN (SELECT id FROM webhooks WHERE url IS NULL);
        DELETE FROM webhooks WHERE url IS NULL;
        ALTER TABLE webhooks DROP CONSTRAINT ck_webhooks_url;
        ALTER TABLE webhooks DROP COLUMN sealed_url, DROP COLUMN host, ALTER COLUMN url SET NOT NULL;
        CREATE UNIQUE INDEX uq_webhooks_url ON webhooks (organization_id, url) WHERE removed_at IS NULL;

        ALTER TABLE grant_requests DROP COLUMN program;
        DELETE FROM subscriptions;
        ALTER TABLE subscriptions DROP COLUMN key_id, ADD COLUMN state_hash bytea NOT NULL;
        DELETE FROM sessions;
        ALTER TABLE sessions ADD COLUMN form_key text NOT NULL;
        UPDATE api_keys SET revoked_at = coalesce(revoked_at, clock_timestamp()), scopes = ARRAY['read']
            WHERE scopes = ARRAY['addresses'];
        UPDATE api_keys SET scopes = array_remove(scopes, 'addresses');
        ALTER TABLE api_keys DROP CONSTRAINT ck_api_keys_scopes;
        ALTER TABLE api_keys ADD CONSTRAINT ck_api_keys_scopes
            CHECK (scopes <@ ARRAY['read', 'manage'] AND cardinality(scopes) > 0);
    """)
