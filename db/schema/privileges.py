"""What each process may do in the database: one role per kind of process, whose rights are set again after every migration.

``onbehalf_web`` signs people in and then acts as ``onbehalf_tenant``, which row-level security limits to one organization.
``onbehalf_worker`` is for workers, schedulers and commands: all rows, no schema changes. ``onbehalf_inbox`` takes incoming mail, which it cannot read
again. ``onbehalf_metrics`` counts work and reads no table. The user who migrates owns the tables. The roles belong to the server; we only name them here, without
passwords.
"""

import re
from collections.abc import Mapping

from sqlalchemy import Connection, text

from domain import servers
from domain.errors import OperatorMisconfigured

TENANT, WEB, WORKER, METRICS, INBOX = ROLES = (
    "onbehalf_tenant",
    "onbehalf_web",
    "onbehalf_worker",
    "onbehalf_metrics",
    "onbehalf_inbox",
)
_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
_TOKENS = (
    "access_token, access_expires_at, refresh_token, last_token_until, version, epoch, updated_at, refresh_not_before,"
    " refused_at, refused_code"
)
_ALL_BUT = re.compile(r"\{all but ([a-z_, ]+)\}")
Rights = Mapping[str, tuple[str, ...]]

# Tables where a tenant has fewer than all rights within its own organization. A table without an organization gives a tenant
# nothing unless it is listed here.
_TENANT: Rights = {
    "organizations": ("SELECT", "UPDATE ({all but id, tenant_id})"),
    "audit_entries": ("SELECT", "INSERT"),
    "audit_chains": ("SELECT",),
    "receipts": ("SELECT", "INSERT"),
    "events": ("SELECT", "INSERT"),
    # A withdrawal erases tokens. Nobody moves them to another mailbox or deletes the row that counts erasures. Only workers
    # read what is sealed to them, and nobody can put aside a token that they did not seal.
    "credentials": (
        "SELECT ({all but access_token, refresh_token, last_token})",
        "INSERT ({all but renewable, key_id, last_token, last_token_until})",
        f"UPDATE ({_TOKENS})",
    ),
    "smtp_settings": ("SELECT ({all but password})", "INSERT", "UPDATE", "DELETE"),
    "webhooks": (
        "SELECT ({all but url, sealed_url, secret, next_secret})",
        "INSERT",
        "UPDATE (removed_at, events, disabled_at, next_secret, secret_confirmed_at)",
    ),
    "notice_channels": (
        "SELECT ({all but sealed_url})",
        "INSERT",
        "UPDATE (removed_at, sealed_url, url_digest)",
    ),
    "channel_notices": (),
    "sessions": ("SELECT ({all but refresh_token})", "INSERT", "UPDATE", "DELETE"),
    "errands": ("SELECT", "INSERT", "UPDATE (begin_until)"),
    "outbox": ("INSERT", "SELECT (dedupe_key)"),
    "sign_ins": ("INSERT",),
    "mailbox_reads": ("SELECT",),
    "received_mail": (),
    # A page keeps a file; only the worker that imports it reads it again.
    "people_imports": ("SELECT ({all but content})", "INSERT", "UPDATE", "DELETE"),
    "incoming_files": ("SELECT", "DELETE"),
    "processes": ("SELECT (kind, queues, key_ids, works, seen_at, stopped_at)",),
    "holds": ("SELECT", "INSERT", "UPDATE (held_by, reason, until, ended_at, ended_by)"),
    # The command line alone makes operators, and schedulers alone measure.
    "operators": ("SELECT",),
    "measurements": ("SELECT",),
    # Whoever plans an email asks (the trigger deliveries_lost_time).
    "restores": ("SELECT",),
    "numbers_counts": ("SELECT",),
    "counted_numbers": ("SELECT",),
}
# Its own row. What keeps processes from working names hosts, and is for operators.
_REPORT = (
    "SELECT (id, last_job_at)",
    "INSERT ({all but started_at, seen_at, stopped_at})",
    "UPDATE (seen_at, troubles, works, last_job_at, stopped_at)",
)
# What the web process needs before it knows which organization it acts for: sign-ins, API calls, providers' notifications.
_WEB: Rights = {
    "organizations": ("SELECT (id, name, tenant_id, approval_token)",),
    "members": (
        "SELECT (id, organization_id, name, email, role, active, account_id, user_name)",
        "UPDATE (account_id)",
    ),
    "sessions": ("SELECT ({all but refresh_token})", "INSERT", "UPDATE", "DELETE"),
    "sign_ins": ("SELECT", "INSERT", "DELETE"),
    "api_keys": ("SELECT", "UPDATE (used_at)"),
    "subscriptions": ("SELECT", "DELETE"),
    "mailboxes": ("SELECT (id, owner_id, status, checked_at)", "UPDATE (checked_at)"),
    "mailbox_reads": ("SELECT (mailbox_id, next_read_at, read_as_of)", "UPDATE (hinted_at, next_read_at)"),
    "deliveries": ("SELECT (mailbox_id, state, due_at)", "UPDATE (due_at)"),
    "audit_entries": ("INSERT",),
    "alembic_version": ("SELECT",),
    "processes": _REPORT,
}
_WORKER: Rights = {
    "audit_entries": ("SELECT", "INSERT", "UPDATE (position, hash, key_id)"),
    "audit_chains": ("SELECT", "INSERT", "UPDATE"),
    "receipts": ("SELECT", "INSERT", "DELETE"),
    "alembic_version": ("SELECT",),
    "metrics_reading_lag": ("SELECT",),
}
# Whoever speaks SMTP with everybody knows the default addresses, and what came to them by its digest.
_INBOX: Rights = {
    "mailboxes": ("SELECT (id, organization_id, address, provider, status)",),
    "received_mail": (
        "SELECT (organization_id, digest, received_at)",
        "INSERT (id, organization_id, mailbox_id, address, sender, peer, helo, encrypted, raw, size, digest)",
    ),
    "outbox": (
        "SELECT (dedupe_key)",
        "INSERT (id, kind, dedupe_key, payload, available_at)",
    ),
    "alembic_version": ("SELECT",),
    "processes": _REPORT,
}
_METRICS: Rights = {"metrics_mailboxes_with_work": ("SELECT",), "metrics_reading_lag": ("SELECT",)}
# All that a page may change of events and of what the inbox keeps: it takes one person out of them.
_ERASURE = "forget_person(uuid, uuid, text)"
_FUNCTIONS = "make_audit_month(text, uuid, uuid), hold_audit_entries(), drop_audit_month(text)"


def check(connection: Connection) -> None:
    """Raise ``OperatorMisconfigured`` if the roles cannot be created, with SQL for an administrator. Changes nothing."""
    known = set(
        connection.execute(
            text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:names)"), {"names": list(ROLES)}
        ).scalars()
    )
    me, superuser, may, version = connection.execute(
        text(
            "SELECT current_user, rolsuper, rolcreaterole, current_setting('server_version_num')::int"
            " FROM pg_roles WHERE rolname = current_user"
        )
    ).one()
    if (server := servers.postgresql(version)).fit is servers.Fit.TOO_OLD:
        raise OperatorMisconfigured(f"{server.sentence} Nothing was changed.")
    missing = [role for role in ROLES if role not in known]
    granted = "SELECT pg_has_role(:web, :tenant, 'MEMBER') AND pg_has_role(current_user, :tenant, 'MEMBER')"
    linked = not missing and connection.execute(text(granted), {"web": WEB, "tenant": TENANT}).scalar_one()
    # Since Postgres 16, a user with CREATEROLE can grant only roles on which it has the admin option.
    own = "SELECT pg_has_role(current_user, :tenant, 'MEMBER WITH ADMIN OPTION')"
    grants = may and (
        TENANT in missing
        or version < 160000
        or connection.execute(text(own), {"tenant": TENANT}).scalar_one()
    )
    if superuser or linked or grants:
        return
    statements = [f"{_made(role)};" for role in missing]
    statements += [f"GRANT {TENANT} TO {WEB};", f'GRANT {TENANT} TO "{me}";']
    raise OperatorMisconfigured(
        f"The database user {me} may not make or grant the roles that are missing. Nothing was changed. Have an administrator"
        f" run: {' '.join(statements)} Then migrate again."
    )


def _made(role: str) -> str:
    # The web process has a tenant's rights only while it acts as one.
    return f"CREATE ROLE {role} NOLOGIN{' NOINHERIT' if role == WEB else ''}"


def make_roles(connection: Connection) -> None:
    """Create missing roles, and let the web process act as a tenant."""
    for role in ROLES:
        connection.execute(
            text(
                f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN {_made(role)};"
                " END IF; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        )
    for member in (f"'{WEB}'", "current_user"):
        connection.execute(
            text(
                f"DO $$ BEGIN IF NOT pg_has_role({member}, '{TENANT}', 'MEMBER') THEN"
                f" EXECUTE format('GRANT {TENANT} TO %I', {member}); END IF; END $$"
            )
        )


def give(connection: Connection) -> None:
    """Give every role exactly its rights, on all existing tables."""
    tables = {
        row.name: row
        for row in connection.execute(
            text(
                "SELECT c.relname AS name, c.relrowsecurity AS walled, array_agg(a.attname::text ORDER BY a.attnum) AS columns"
                " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
                " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition"
                " GROUP BY c.oid, c.relname, c.relrowsecurity"
            )
        )
    }
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}"))
    # In a database from before PostgreSQL 15, everybody may make tables. Who owns the schema goes on doing so.
    connection.execute(
        text(
            "DO $$ BEGIN IF has_schema_privilege('public', 'public', 'CREATE') AND pg_has_role(current_user,"
            " (SELECT nspowner FROM pg_namespace WHERE nspname = 'public'), 'USAGE') THEN"
            " REVOKE CREATE ON SCHEMA public FROM PUBLIC; END IF; END $$"
        )
    )
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION {_FUNCTIONS} TO {WORKER}"))
    connection.execute(text(f"GRANT EXECUTE ON FUNCTION {_ERASURE} TO {WORKER}, {TENANT}"))
    for table, row in tables.items():
        owned = row.walled  # rows belong to organizations, and row-level security separates them
        view = table.startswith("metrics_")
        connection.execute(text(f"REVOKE ALL ON {table} FROM {', '.join(ROLES)}"))
        for role, rights in (
            (TENANT, _TENANT.get(table, _ALL if owned else ())),
            (WEB, _WEB.get(table, ())),
            (WORKER, _WORKER.get(table, () if view else _ALL)),
            (METRICS, _METRICS.get(table, ())),
            (INBOX, _INBOX.get(table, ())),
        ):
            for right in rights:
                spelled = _ALL_BUT.sub(
                    lambda found, row=row: ", ".join(  # type: ignore[misc]  # a lambda's default has no type
                        each for each in row.columns if each not in found[1].split(", ")
                    ),
                    right,
                )
                connection.execute(text(f"GRANT {spelled} ON {table} TO {role}"))
        if owned:
            _let_in(connection, table, WORKER)
            for role, rights_of in ((WEB, _WEB), (INBOX, _INBOX)):
                if table in rights_of:
                    _let_in(connection, table, role)


def _let_in(connection: Connection, table: str, role: str) -> None:
    """Let ``role`` past row-level security; its rights still limit what it may do."""
    policy = role.removeprefix("onbehalf_")
    if not connection.execute(
        text("SELECT EXISTS (SELECT FROM pg_policies WHERE tablename = :table AND policyname = :policy)"),
        {"table": table, "policy": policy},
    ).scalar_one():
        connection.execute(text(f"CREATE POLICY {policy} ON {table} TO {role} USING (true)"))
