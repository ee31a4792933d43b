"""Tables of the whole installation: who may see the page Operations, how all stands minute by minute, and restored backups."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.models import metadata, moment, organization, within

# Made and ended by the command line alone. It holds for the account and the activation that it was given to: whoever gets the
# member's address later, or comes back after leaving, is no operator (docs/decisions/0025).
operators = Table(
    "operators",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    organization(),
    Column("account_id", Text, nullable=False),
    Column("activity_version", Integer, nullable=False),
    moment("added_at", nullable=False),
    within("member_id", "members", ondelete="CASCADE"),
)

# Schedulers write it, because no page sees more than its own organization. Row-level security shows it to organizations that have an
# operator.
measurements = Table(
    "measurements",
    metadata,
    Column("minute", DateTime(timezone=True), primary_key=True),
    moment("measured_at", nullable=False),
    Column("figures", JSONB, nullable=False),  # numbers by name, for pictures
    Column("details", JSONB),  # the whole (db/views/operations.py); of the newest one only
)

# Each time that the database was restored from a backup (docs/restoring.md). Emails of people who were enrolled before are looked for
# before they are sent.
restores = Table(
    "restores",
    metadata,
    Column("at", DateTime(timezone=True), primary_key=True, server_default=text("clock_timestamp()")),
    moment("restored_to", nullable=False),
    Column("noted_by", Text, nullable=False),
    CheckConstraint("restored_to <= at", name="past"),
)
