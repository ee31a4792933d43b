"""Mailboxes at Gmail, and errands that end our access to them."""

from alembic import op

revision = "2026_11_30_gmail"
down_revision = "2026_11_30_signatures"
branch_labels = None
depends_on = None

_PROVIDERS = ("graph", "microsoft_smtp", "smtp", "default")
_ERRANDS = (
    "send_test_email",
    "check_settings",
    "try_server",
    "read_domains",
    "watch_approval",
    "recall_draft",
    "search_once_more",
    "verify_audit",
    "test_webhook",
)


def upgrade() -> None:
    _restrict("mailboxes", "provider", *_PROVIDERS, "gmail")
    _restrict("errands", "kind", *_ERRANDS, "revoke_access")


def downgrade() -> None:
    op.execute("DELETE FROM errands WHERE kind = 'revoke_access'")
    _restrict("errands", "kind", *_ERRANDS)
    _restrict("mailboxes", "provider", *_PROVIDERS)


def _restrict(table: str, column: str, *values: str) -> None:
    listed = ", ".join(f"'{each}'" for each in values)
    op.execute(
        f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column},"
        f" ADD CONSTRAINT ck_{table}_{column} CHECK ({column} IN ({listed}))"
    )
