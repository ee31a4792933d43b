"""Tables of mail that comes to the default addresses by SMTP."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.models import identifier, metadata, moment, organization, within

# One message for one organization. The row outlives its text by some days, so that a message that comes twice is known.
received_mail = Table(
    "received_mail",
    metadata,
    identifier(),
    organization(),
    Column("mailbox_id", Uuid, nullable=False),  # the default address that it was for
    Column("address", Text, nullable=False),  # as the sending server wrote it, with what stands behind a +
    Column("sender", Text, nullable=False),  # of the envelope; empty for reports
    Column("peer", Text, nullable=False),  # the sending server's address
    Column("helo", Text, nullable=False),  # and what it calls itself
    Column("encrypted", Boolean, nullable=False),  # did it come over TLS?
    Column("raw", LargeBinary),  # sealed for workers; erased once processed
    Column("size", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of all but what servers on its way add
    Column("auth", JSONB),  # what SPF, DKIM and DMARC say
    moment("received_at", nullable=False),
    moment("processed_at"),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    within("mailbox_id", "mailboxes", ondelete="CASCADE"),
    Index("ix_received_mail_digest", "organization_id", "digest"),
    Index("ix_received_mail_received", "received_at"),
    Index("ix_received_mail_unprocessed", "mailbox_id", postgresql_where=text("processed_at IS NULL")),
    CheckConstraint("(raw IS NULL) = (processed_at IS NOT NULL)", name="raw"),
    CheckConstraint("octet_length(digest) = 32", name="digest"),
)

# Files of messages that came to default addresses. ``incoming_messages.attachments`` names them all.
incoming_files = Table(
    "incoming_files",
    metadata,
    identifier(),
    organization(),
    Column("incoming_message_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),  # encrypted for pages and workers
    within("incoming_message_id", "incoming_messages", ondelete="CASCADE"),
    Index("ix_incoming_files_message", "incoming_message_id"),
)
