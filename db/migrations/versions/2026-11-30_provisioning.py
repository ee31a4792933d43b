"""What an identity provider says of a member, and keys that provision members.

Processes of earlier releases write none of it: a member they add has no name there, and is known by their address.
"""

from alembic import op

revision = "2026_11_30_provisioning"
down_revision = "2026_11_30_own_hours"
branch_labels = None
depends_on = None

_API = "scopes <@ ARRAY['read', 'manage', 'addresses'] AND cardinality(scopes) > 0"


def upgrade() -> None:
    op.execute(f"""
        ALTER TABLE members ADD COLUMN user_name text, ADD COLUMN external_id text,
            ADD COLUMN formatted_name text, ADD COLUMN given_name text,
            ADD COLUMN family_name text, ADD COLUMN deprovisioned_at timestamptz;
        ALTER TABLE members ADD CONSTRAINT ck_members_deprovisioned CHECK (deprovisioned_at IS NULL OR NOT active);
        CREATE UNIQUE INDEX uq_members_user_name ON members (organization_id, lower(user_name));
        ALTER TABLE api_keys DROP CONSTRAINT ck_api_keys_scopes,
            ADD CONSTRAINT ck_api_keys_scopes CHECK ({_API} OR scopes = ARRAY['provision']);
    """)


def downgrade() -> None:
    op.execute(f"""
        DELETE FROM api_keys WHERE scopes = ARRAY['provision'];
        ALTER TABLE api_keys DROP CONSTRAINT ck_api_keys_scopes, ADD CONSTRAINT ck_api_keys_scopes CHECK ({_API});
        ALTER TABLE members DROP COLUMN user_name, DROP COLUMN external_id, DROP COLUMN formatted_name,
            DROP COLUMN given_name, DROP COLUMN family_name, DROP COLUMN deprovisioned_at;
    """)
