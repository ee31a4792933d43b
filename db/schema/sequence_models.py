"""Tables of sequences, their steps, candidates and enrollments."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.schema.models import identifier, metadata, moment, one_of, organization, within

sequences = Table(
    "sequences",
    metadata,
    identifier(),
    organization(),
    Column("owner_id", Uuid, nullable=False),
    Column("mailbox_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    # From whichever sender address counts for its owner.
    Column("uses_sender_address", Boolean, nullable=False, server_default=text("false")),
    Column("sending", JSONB),
    Column("fields", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("paused_cause", Text),
    Column("paused_reason", Text),
    moment("paused_at"),
    moment("resumed_at"),  # what happened before then cannot pause it any more, however late it is heard of
    moment("set_back_at"),  # of a draft that ran before
    Column("set_back_by", Text),  # the person who did it: no file starts it again. NULL: a file did
    moment("created_at", nullable=False),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name"),
    within("owner_id", "members"),
    within("mailbox_id", "mailboxes"),
    one_of("status", "status", "draft", "active", "paused", "archived"),
    CheckConstraint(
        "(status = 'paused') = (paused_cause IS NOT NULL AND paused_reason IS NOT NULL AND paused_at IS NOT NULL)",
        name="no_pause_without_reason",
    ),
    Index("ix_sequences_mailbox", "mailbox_id"),
    Index("ix_sequences_owner", "owner_id"),
)

steps = Table(
    "steps",
    metadata,
    identifier(),
    organization(),
    Column("sequence_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("delay", Text, nullable=False),
    Column("subject", Text),  # NULL = same thread
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("key", Text),  # its id in the file it comes from
    Column("former", JSONB, nullable=False, server_default=text("'{}'")),  # version -> subject, body
    moment("retired_at"),
    UniqueConstraint("organization_id", "id"),
    within("sequence_id", "sequences"),
    CheckConstraint("position >= 1", name="position"),
    CheckConstraint("position > 1 OR subject IS NOT NULL", name="first_has_subject"),
    Index(
        "uq_steps_position",
        "sequence_id",
        "position",
        unique=True,
        postgresql_where=text("retired_at IS NULL"),
    ),
    Index("uq_steps_key", "sequence_id", "key", unique=True, postgresql_where=text("retired_at IS NULL")),
)

candidates = Table(
    "candidates",
    metadata,
    identifier(),
    organization(),
    Column("email", Text, nullable=False),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("company", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("location", Text, nullable=False, server_default=""),
    # slug -> text, from the CSV's other columns
    Column("fields", JSONB, nullable=False, server_default=text("'{}'")),
    moment("created_at", nullable=False),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "email"),
    CheckConstraint("email = lower(email)", name="email_lower"),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("email", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    moment("created_at", nullable=False),
    one_of("reason", "reason", "unsubscribed", "stopped", "bounced"),
    CheckConstraint("email = lower(email)", name="email_lower"),
)

enrollments = Table(
    "enrollments",
    metadata,
    identifier(),
    organization(),
    Column("sequence_id", Uuid, nullable=False),
    Column("candidate_id", Uuid, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("reason", Text),  # why paused, stopped or archived
    Column("passed", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),  # steps added behind them
    moment("paused_at"),
    moment("created_at", nullable=False),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("sequence_id", "candidate_id"),
    within("sequence_id", "sequences"),
    within("candidate_id", "candidates"),
    one_of("status", "status", "active", "paused", "stopped", "archived", "finished"),
    CheckConstraint("(status IN ('active', 'finished')) = (reason IS NULL)", name="reason"),
    CheckConstraint("(status = 'paused') = (paused_at IS NOT NULL)", name="paused_at"),
    Index("ix_enrollments_candidate", "candidate_id"),
    Index(
        "ix_enrollments_blocked",
        "sequence_id",
        postgresql_where=text("status = 'paused' AND reason LIKE 'missing_merge_field%'"),
    ),
)
