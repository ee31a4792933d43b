"""The table of holds: who sends nothing for now. One without an organization is a drain, of the whole installation."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid, text

from db.schema.models import identifier, metadata, moment, one_of, within

holds = Table(
    "holds",
    metadata,
    identifier(),
    Column("organization_id", Uuid, ForeignKey("organizations.id")),
    Column("mailbox_id", Uuid),  # NULL = all of the organization's
    Column("level", Text, nullable=False),  # whose hold it is, and so who may release it (domain/holds.py)
    Column("held_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    moment("since", nullable=False),
    moment("until"),  # NULL = until somebody releases it
    moment("ended_at"),  # released, or its time is over; the gate asks for `until` by itself
    Column("ended_by", Text),
    within("mailbox_id", "mailboxes", ondelete="CASCADE"),
    one_of("level", "level", "owner", "admin", "operator"),
    CheckConstraint(
        "organization_id IS NOT NULL OR (mailbox_id IS NULL AND level = 'operator')", name="installation"
    ),
    CheckConstraint("level <> 'owner' OR mailbox_id IS NOT NULL", name="owner"),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    Index("ix_holds_open", "organization_id", "mailbox_id", postgresql_where=text("ended_at IS NULL")),
)
