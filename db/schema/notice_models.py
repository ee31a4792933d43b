"""Tables of how members hear of notices."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.models import identifier, metadata, moment, one_of, organization, within

# How notices of one category come. No row: by email, at once.
notice_preferences = Table(
    "notice_preferences",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("category", Text, primary_key=True),
    organization(),
    Column("by_email", Text, nullable=False),
    Column("channel_ids", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    within("member_id", "members"),
    one_of("category", "category", "stopped", "decisions", "answers", "news"),
    one_of("by_email", "by_email", "at_once", "daily", "never"),
)

# Members' channels in Slack, Teams and others. The address is a secret: whoever has it can write there.
notice_channels = Table(
    "notice_channels",
    metadata,
    identifier(),
    organization(),
    Column("member_id", Uuid, nullable=False),
    Column("service", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sealed_url", LargeBinary),  # NULL once it is removed
    Column("url_digest", LargeBinary),  # SHA-256 of it and its member, so that a repeated post adds none
    moment("created_at", nullable=False),
    moment("removed_at"),
    Column("last_answer", Text),  # how the last attempt ended
    moment("last_at"),
    UniqueConstraint("organization_id", "id"),
    within("member_id", "members"),
    CheckConstraint("name <> ''", name="name"),
    CheckConstraint(
        "(removed_at IS NULL) = (sealed_url IS NOT NULL) AND (removed_at IS NULL) = (url_digest IS NOT NULL)",
        name="erased",
    ),
    Index("ix_notice_channels_member", "member_id"),
    Index(
        "ix_notice_channels_same",
        "member_id",
        "url_digest",
        unique=True,
        postgresql_where=text("removed_at IS NULL"),
    ),
)

# What was said in a channel: each cause once. ``created_at``: when the first attempt began.
channel_notices = Table(
    "channel_notices",
    metadata,
    Column("channel_id", Uuid, primary_key=True),
    Column("cause_key", Text, primary_key=True),
    organization(),
    Column("state", Text, nullable=False),
    moment("lease_until"),  # while it is being said
    moment("created_at", nullable=False),
    within("channel_id", "notice_channels"),
    one_of("state", "state", "sending", "sent", "failed", "unknown"),
    CheckConstraint("(state = 'sending') = (lease_until IS NOT NULL)", name="lease"),
    Index("ix_channel_notices_created", "created_at"),
    Index(
        "ix_channel_notices_lease",
        "organization_id",
        "lease_until",
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
)
