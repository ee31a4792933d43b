"""Tables of the audit trail."""

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.models import identifier, metadata, moment, one_of, organization
from domain.audit import ActorKind


def actor() -> tuple[Column[object], ...]:
    """Return the columns of an actor (``domain.audit.Actor``)."""
    return (
        Column("actor_kind", Text, nullable=False),
        Column("actor_id", Text, nullable=False),
        Column("actor_name", Text, nullable=False),
    )


def actor_kinds() -> CheckConstraint:
    """Return the constraint that belongs to ``actor``."""
    return one_of("actor_kind", "actor_kind", *ActorKind)


# Partitioned by month, by the time in the UUIDv7: we drop whole months, and a lookup by id reads one partition.
audit_entries = Table(
    "audit_entries",
    metadata,
    identifier(),
    organization(),
    moment("at", nullable=False),
    *actor(),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    # Position and hash in the organization's chain. The sealer writes them once.
    Column("position", BigInteger),
    Column("hash", Text),
    Column("key_id", Text),  # the key that sealed it; NULL: sealed before there were keys
    CheckConstraint("(position IS NULL) = (hash IS NULL)", name="sealed"),
    actor_kinds(),
    Index("ix_audit_entries_chain", "organization_id", "position"),
    Index(
        "ix_audit_entries_unsealed",
        "organization_id",
        "id",
        postgresql_where=text("position IS NULL"),
    ),
    Index("ix_audit_entries_subject", "organization_id", "subject"),
    Index("ix_audit_entries_recent", "at", "action"),
    postgresql_partition_by="RANGE (id)",
)

# One row per chain: its newest link, and the last link of the entries dropped because of their age.
audit_chains = Table(
    "audit_chains",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("position", BigInteger, nullable=False, server_default=text("0")),
    Column("hash", Text, nullable=False, server_default="0" * 64),
    Column("dropped_position", BigInteger, nullable=False, server_default=text("0")),
    Column("dropped_hash", Text, nullable=False, server_default="0" * 64),
    moment("kept_from"),  # older entries were dropped; NULL = none were
    Column(
        "unkeyed", BigInteger, nullable=False, server_default=text("0")
    ),  # entries up to this position carry no key
    Column("key_id", Text, nullable=False),
    Column("seal", Text, nullable=False),  # over the whole row
    CheckConstraint("dropped_position <= position", name="dropped"),
)
