"""Name columns, states and reasons as the glossary does (docs/glossary.md)."""

from alembic import op
from sqlalchemy import text

revision = "2026_11_29_vocabulary"
down_revision = "2026_11_28_moves"
branch_labels = None
depends_on = None

# table, former name, present name
_COLUMNS = (
    ("deliveries", "marker", "correlation_id"),
    ("deliveries", "fenced_draft", "recalled_draft"),
    ("deliveries", "handbacks", "releases"),
    ("deliveries", "looks", "reconcile_attempts"),
    ("lanes", "look_token", "slot_token"),
    ("lanes", "look_until", "slot_until"),
    ("grants", "grantor_id", "mailbox_owner_id"),
    ("sequences", "company", "uses_sender_address"),
)
_INDEXES = (
    ("ix_deliveries_doubtful", "ix_deliveries_unsettled"),
    ("ix_deliveries_looks", "ix_deliveries_in_doubt"),
    ("uq_mailboxes_company", "uq_mailboxes_sender_address"),
)
_CONSTRAINTS = (
    (
        "grants",
        "fk_grants_organization_id_mailbox_id_grantor_id",
        "fk_grants_organization_id_mailbox_id_mailbox_owner_id",
    ),
    ("mailboxes", "ck_mailboxes_company", "ck_mailboxes_sender_address"),
)
# table, column, former value, present value; what lists the value; the trigger that would refuse the change
_VALUES = (
    (
        ("deliveries", "state", "reconciling", "in_doubt"),
        ("ck_deliveries_state",),
        ("ix_deliveries_unsettled", "ix_deliveries_in_doubt"),
        "deliveries_move",
    ),
    (
        ("receipts", "authority", "company_address", "sender_address"),
        ("ck_receipts_authority", "ck_receipts_grant"),
        (),
        "append_only",
    ),
    (("errands", "kind", "look_once_more", "search_once_more"), ("ck_errands_kind",), (), None),
    (("mailboxes", "status_reason", "set_aside", "disabled"), (), (), None),
)
_BODIES = (
    ("refuse_inactive_grantee", "grantor_id", "mailbox_owner_id"),
    ("check_delivery_move", "'reconciling'", "'in_doubt'"),
)


def upgrade() -> None:
    for table, former, present in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {former} TO {present}")
    for former, present in _INDEXES:
        op.execute(f"ALTER INDEX {former} RENAME TO {present}")
    for table, former, present in _CONSTRAINTS:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {former} TO {present}")
    for function, former, present in _BODIES:
        _rewrite(function, former, present)
    for (table, column, former, present), checks, indexes, trigger in _VALUES:
        _replace(table, column, former, present, checks, indexes, trigger)
    _replace_in_json("tell", "recipient", "set_aside", "disabled", "company_address", "sender_address")


def downgrade() -> None:
    _replace_in_json("recipient", "tell", "disabled", "set_aside", "sender_address", "company_address")
    for (table, column, former, present), checks, indexes, trigger in _VALUES:
        _replace(table, column, present, former, checks, indexes, trigger)
    for function, former, present in _BODIES:
        _rewrite(function, present, former)
    for table, former, present in _CONSTRAINTS:
        op.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {present} TO {former}")
    for former, present in _INDEXES:
        op.execute(f"ALTER INDEX {present} RENAME TO {former}")
    for table, former, present in _COLUMNS:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {present} TO {former}")


def _definition(kind: str, name: str) -> str:
    found: str = op.get_bind().execute(text(kind), {"name": name}).scalar_one()
    return found


def _rewrite(function: str, old: str, new: str) -> None:
    body = _definition("SELECT pg_get_functiondef(CAST(:name AS regproc))", function)
    op.get_bind().exec_driver_sql(body.replace(old, new).replace("%", "%%"))


def _replace(
    table: str,
    column: str,
    old: str,
    new: str,
    checks: tuple[str, ...],
    indexes: tuple[str, ...],
    trigger: str | None,
) -> None:
    """The value in the rows, and in what lists it."""
    listed = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"
    conditions = {name: _definition(listed, name) for name in checks}
    made = {name: _definition("SELECT pg_get_indexdef(CAST(:name AS regclass))", name) for name in indexes}
    for name in checks:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    if trigger is not None:
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    op.execute(f"UPDATE {table} SET {column} = '{new}' WHERE {column} = '{old}'")
    if trigger is not None:
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
    for name, condition in conditions.items():
        changed = condition.replace(f"'{old}'", f"'{new}'")
        op.get_bind().exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {changed}")
    for name, definition in made.items():
        op.execute(f"DROP INDEX {name}")
        op.get_bind().exec_driver_sql(definition.replace(f"'{old}'", f"'{new}'"))


def _replace_in_json(
    key: str, new_key: str, reason: str, new_reason: str, authority: str, new_authority: str
) -> None:
    """What an event says to the one who is notified, and what the gate noted of an email on its way."""
    op.execute(
        f"UPDATE events SET payload = payload - '{key}' || jsonb_build_object('{new_key}', payload->'{key}')"
        f" WHERE jsonb_exists(payload, '{key}')"
    )
    op.execute(
        f"UPDATE events SET payload = jsonb_set(payload, '{{reason}}', '\"{new_reason}\"')"
        f" WHERE kind = 'MailboxDisconnected' AND payload->>'reason' = '{reason}'"
    )
    op.execute(
        f"UPDATE deliveries SET authority = jsonb_set(authority, '{{authority}}', '\"{new_authority}\"')"
        f" WHERE state IN ('sending', 'in_doubt', 'reconciling', 'review') AND authority->>'authority' = '{authority}'"
    )
