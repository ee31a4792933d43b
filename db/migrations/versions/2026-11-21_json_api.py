"""Keys of the JSON API, and what was answered to requests that may come twice."""

from alembic import op

revision = "2026_11_21_json_api"
down_revision = "2026_11_21_bounded_grants"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE api_keys (
            id uuid NOT NULL CONSTRAINT pk_api_keys PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_api_keys_organization_id REFERENCES organizations (id),
            name text NOT NULL,
            key_hash bytea NOT NULL CONSTRAINT uq_api_keys_key_hash UNIQUE,
            scopes text[] NOT NULL,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            used_at timestamptz,
            revoked_at timestamptz,
            CONSTRAINT uq_api_keys_organization_id_name UNIQUE (organization_id, name),
            CONSTRAINT ck_api_keys_scopes CHECK (scopes <@ ARRAY['read', 'manage'] AND cardinality(scopes) > 0)
        );
        CREATE TABLE idempotency_keys (
            organization_id uuid NOT NULL CONSTRAINT fk_idempotency_keys_organization_id REFERENCES organizations (id),
            key text NOT NULL,
            request_hash bytea NOT NULL,
            status integer,
            answer jsonb,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_idempotency_keys PRIMARY KEY (organization_id, key),
            CONSTRAINT ck_idempotency_keys_answered CHECK ((status IS NULL) = (answer IS NULL))
        );
        CREATE INDEX ix_idempotency_keys_created ON idempotency_keys (created_at);
    """)


def downgrade() -> None:
    op.execute("DROP TABLE idempotency_keys; DROP TABLE api_keys;")
