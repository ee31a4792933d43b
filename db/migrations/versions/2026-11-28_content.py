"""When a mailbox's settings are being read before a send, and sending policies that do not say their days.

Until now a policy without days was stored with all seven, so that "3 business days" ended on Sundays. Those that list all
seven lose the list: emails may leave on any day as before, and business days become Monday to Friday.
"""

from alembic import op

revision = "2026_11_28_content"
down_revision = "2026_11_28_custody"

_ALL_DAYS = """'["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'::jsonb"""


def upgrade() -> None:
    op.execute(
        "ALTER TABLE mailboxes ADD COLUMN reading_until timestamptz, ADD COLUMN unread_until timestamptz"
    )
    for table in ("organizations", "sequences"):
        op.execute(f"UPDATE {table} SET sending = sending - 'days' WHERE sending->'days' = {_ALL_DAYS}")


def downgrade() -> None:
    for table in ("organizations", "sequences"):
        op.execute(
            f"UPDATE {table} SET sending = sending || jsonb_build_object('days', {_ALL_DAYS})"
            " WHERE jsonb_typeof(sending) = 'object' AND NOT sending ? 'days'"
        )
    op.execute("ALTER TABLE mailboxes DROP COLUMN reading_until, DROP COLUMN unread_until")
