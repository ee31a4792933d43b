"""Errands that verify an audit chain, or try a webhook."""

from alembic import op

revision = "2026_11_29_admin"
down_revision = "2026_11_29_people_imports"
branch_labels = None
depends_on = None

_BEFORE = (
    "send_test_email",
    "check_settings",
    "try_server",
    "read_domains",
    "watch_approval",
    "recall_draft",
    "search_once_more",
)


def upgrade() -> None:
    _restrict(*_BEFORE, "verify_audit", "test_webhook")


def downgrade() -> None:
    op.execute("DELETE FROM errands WHERE kind IN ('verify_audit', 'test_webhook')")
    _restrict(*_BEFORE)


def _restrict(*kinds: str) -> None:
    listed = ", ".join(f"'{each}'" for each in kinds)
    op.execute(
        f"ALTER TABLE errands DROP CONSTRAINT ck_errands_kind,"
        f" ADD CONSTRAINT ck_errands_kind CHECK (kind IN ({listed}))"
    )
