"""Seal the audit chains with keys, say by kind and id who acted, and let processes that own no table do what needed an owner."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from db.core.crypto import audit_keys
from domain.audit import Actor, ActorKind, Chain, Entry, Link, chain_hash, chain_seal
from domain.errors import OperatorMisconfigured

revision = "2026_11_28_custody"
down_revision = "2026_11_28_tenants"

_KINDS = "'member', 'api_key', 'operator', 'provider', 'system', 'name'"
_UNSEALED_ONLY = """
DROP TRIGGER sealed_once ON audit_entries;
CREATE TRIGGER sealed_once BEFORE UPDATE ON audit_entries FOR EACH ROW
    WHEN (OLD.position IS NOT NULL OR NEW.position IS NULL OR ({old}) IS DISTINCT FROM ({new}))
    EXECUTE FUNCTION refuse_change();
"""
# The scheduler owns no table. These run as the tables' owner and take nothing but a month's name and bounds.
_MONTHS = """
CREATE FUNCTION make_audit_month(name text, first uuid, next uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF name !~ '^audit_entries_[0-9]{4}_[0-9]{2}$' THEN RAISE EXCEPTION 'not a month of the audit trail: %', name; END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.audit_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    IF EXISTS (SELECT FROM public.audit_entries_default WHERE id >= first AND id < next) THEN
        -- No scheduler has run for months, or a clock is far ahead: what is in the wrong place moves to the right one.
        ALTER TABLE public.audit_entries_default DISABLE TRIGGER append_only;
        EXECUTE format('WITH moved AS (DELETE FROM public.audit_entries_default WHERE id >= $1 AND id < $2 RETURNING *)'
            ' INSERT INTO public.%I SELECT * FROM moved', name) USING first, next;
        ALTER TABLE public.audit_entries_default ENABLE TRIGGER append_only;
    END IF;
    -- Attached, not created in place: this way live work reads and writes the other months meanwhile.
    EXECUTE format('ALTER TABLE public.audit_entries ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
        name, first, next);
END $$;
CREATE FUNCTION hold_audit_entries() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    LOCK TABLE public.audit_entries IN ACCESS EXCLUSIVE MODE;
END $$;
CREATE FUNCTION drop_audit_month(name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF name !~ '^audit_entries_[0-9]{4}_[0-9]{2}$' THEN RAISE EXCEPTION 'not a month of the audit trail: %', name; END IF;
    EXECUTE format('DROP TABLE public.%I', name);
END $$;
REVOKE EXECUTE ON FUNCTION make_audit_month, hold_audit_entries, drop_audit_month FROM PUBLIC;
"""
# What an autoscaler asks, so that it needs no right to a table.
_METRICS = """
CREATE VIEW metrics_mailboxes_with_work AS
SELECT count(*) AS mailboxes FROM lanes WHERE open AND next_due_at <= now()
AND (retry_after_until IS NULL OR retry_after_until <= now());
"""


def upgrade() -> None:
    for table in ("audit_entries", "events"):
        op.execute(f"ALTER TABLE {table} RENAME COLUMN actor TO actor_name")
        # What was written down before is a name, and nothing tells whose.
        op.execute(f"ALTER TABLE {table} ADD COLUMN actor_kind text NOT NULL DEFAULT 'name',"
                   " ADD COLUMN actor_id text NOT NULL DEFAULT ''")  # fmt: skip
        op.execute(
            f"ALTER TABLE {table} ALTER COLUMN actor_kind DROP DEFAULT, ALTER COLUMN actor_id DROP DEFAULT"
        )
        op.create_check_constraint("actor_kind", table, f"actor_kind IN ({_KINDS})")
    op.execute("ALTER TABLE audit_entries ADD COLUMN key_id text")
    op.execute(
        _sealed_once(
            "id", "organization_id", "at", "actor_kind", "actor_id", "actor_name", "action", "subject", "data"
        )
    )
    op.execute(
        "ALTER TABLE audit_chains ADD COLUMN unkeyed bigint NOT NULL DEFAULT 0, ADD COLUMN key_id text, ADD COLUMN seal text"
    )
    _close_unkeyed(op.get_bind())
    op.execute("ALTER TABLE audit_chains ALTER COLUMN key_id SET NOT NULL, ALTER COLUMN seal SET NOT NULL")
    op.execute(sa.text(_MONTHS.replace(":", "\\:")))
    op.execute(_METRICS)


def downgrade() -> None:
    op.execute("DROP VIEW metrics_mailboxes_with_work")
    op.execute("DROP FUNCTION make_audit_month, hold_audit_entries, drop_audit_month")
    op.execute("ALTER TABLE audit_entries DISABLE TRIGGER sealed_once")
    _seal_without_keys(op.get_bind())
    op.execute("ALTER TABLE audit_entries ENABLE TRIGGER sealed_once")
    op.execute("ALTER TABLE audit_chains DROP COLUMN seal, DROP COLUMN key_id, DROP COLUMN unkeyed")
    op.execute(_sealed_once("id", "organization_id", "at", "actor_name", "action", "subject", "data"))
    op.execute("ALTER TABLE audit_entries DROP COLUMN key_id")
    for table in ("audit_entries", "events"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN actor_kind, DROP COLUMN actor_id")
        op.execute(f"ALTER TABLE {table} RENAME COLUMN actor_name TO actor")


def _sealed_once(*columns: str) -> str:
    old, new = (", ".join(f"{row}.{each}" for each in columns) for row in ("OLD", "NEW"))
    return _UNSEALED_ONLY.format(old=old, new=new)


def _close_unkeyed(connection: sa.Connection) -> None:
    """Close what was sealed without a key by a record that has one: only here, so that nobody can pass off a chain as old."""
    rows = connection.execute(sa.text("SELECT * FROM audit_chains")).all()
    if not rows:
        return
    config = op.get_context().config
    given = config.attributes.get("secret_keys", ()) if config is not None else ()
    if not given:
        raise OperatorMisconfigured(
            "The audit chains are sealed with a key from now on, and this process has none. Set SECRET_KEYS and migrate again."
        )
    keys = audit_keys(given)
    for row in rows:
        chain = Chain(
            row.organization_id,
            Link(row.position, row.hash),
            Link(row.dropped_position, row.dropped_hash),
            row.kept_from,
            row.position,
        )
        connection.execute(
            sa.text(
                "UPDATE audit_chains SET unkeyed = position, key_id = :key_id, seal = :seal WHERE organization_id = :id"
            ),
            {
                "key_id": keys.newest,
                "seal": chain_seal(chain, keys.by_id[keys.newest]),
                "id": row.organization_id,
            },
        )


def _seal_without_keys(connection: sa.Connection) -> None:
    """Give the entries that a key sealed the hashes that the version before expects."""
    for chain in connection.execute(sa.text("SELECT * FROM audit_chains")).all():
        previous = chain.dropped_hash
        for row in connection.execute(
            sa.text(
                "SELECT * FROM audit_entries WHERE organization_id = :id AND position > :after ORDER BY position"
            ),
            {"id": chain.organization_id, "after": chain.dropped_position},
        ).mappings():
            previous = row["hash"] if row["key_id"] is None else chain_hash(previous, _entry(row), None)
            connection.execute(
                sa.text("UPDATE audit_entries SET hash = :hash WHERE id = :id"),
                {"hash": previous, "id": row["id"]},
            )
        connection.execute(
            sa.text("UPDATE audit_chains SET hash = :hash WHERE organization_id = :id"),
            {"hash": previous, "id": chain.organization_id},
        )


def _entry(row: Mapping[Any, Any]) -> Entry:
    actor = Actor(ActorKind.NAME, "", row["actor_name"])
    return Entry(
        row["organization_id"],
        row["id"],
        row["position"],
        row["at"],
        actor,
        row["action"],
        row["subject"],
        row["data"],
    )
