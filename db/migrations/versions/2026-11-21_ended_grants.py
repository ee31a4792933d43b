"""The permission that ended last is looked up for every email; without an index that reads every permission there ever was."""

from alembic import op

revision = "2026_11_21_ended_grants"
down_revision = "2026_11_21_subscriptions"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_grants_ended ON grants (mailbox_id, archived_at) WHERE archived_at IS NOT NULL;"
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_grants_ended;")
