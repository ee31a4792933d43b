"""Row-level security: whoever acts for one organization sees and writes its rows only, whatever a query forgets to say."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_tenants_apart"
down_revision = "2026_11_21_smtp_and_companies"

# Not the partitions: rights on those would lead past the parent's policy.
_TABLES = (
    "api_keys", "audit_chains", "audit_entries", "candidates", "credentials", "deliveries", "enrollments", "events",
    "grant_requests", "grants", "idempotency_keys", "lanes", "legal_entities", "mailboxes", "members", "notices", "pauses",
    "receipts", "sequences", "sessions", "smtp_settings", "steps", "suppressions",
)  # fmt: skip
# Without a tenant's column, and needed: the outbox holds ids only, a sign-in under way is known by its secrets.
_SHARED = ("outbox", "sign_ins")
_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    connection = op.get_bind()
    known = connection.execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'onbehalf_tenant'")).scalar()
    may = connection.execute(
        sa.text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    ).scalar()
    if not known and not may:
        raise RuntimeError(
            "The database user may not create roles. Have an administrator run: CREATE ROLE onbehalf_tenant NOLOGIN;"
            " GRANT onbehalf_tenant TO <the database user>; then migrate again."
        )
    op.execute("""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onbehalf_tenant') THEN
                CREATE ROLE onbehalf_tenant NOLOGIN;
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database's migration made it just now
        END $$;
        DO $$ BEGIN
            IF NOT pg_has_role(current_user, 'onbehalf_tenant', 'MEMBER') THEN
                EXECUTE format('GRANT onbehalf_tenant TO %I', current_user);
            END IF;
        END $$;
        GRANT USAGE ON SCHEMA public TO onbehalf_tenant;
    """)
    for table in (*_TABLES, *_SHARED, "organizations"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO onbehalf_tenant")
    for table in (*_TABLES, "organizations"):
        column = "id" if table == "organizations" else "organization_id"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} TO onbehalf_tenant USING ({column} = {_OWN})")


def downgrade() -> None:
    for table in (*_TABLES, "organizations"):
        op.execute(f"DROP POLICY tenant ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in (*_TABLES, *_SHARED, "organizations"):
        op.execute(f"REVOKE ALL ON {table} FROM onbehalf_tenant")
    # The role stays: it belongs to the whole server, and other databases on it may use it.
    op.execute("REVOKE USAGE ON SCHEMA public FROM onbehalf_tenant")
