"""Tables of imports of people on pages."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.models import identifier, metadata, moment, one_of, organization, within

# A file, until it is imported or for a day. ``content``, ``report`` and ``left_out`` are encrypted for pages and workers.
people_imports = Table(
    "people_imports",
    metadata,
    identifier(),
    organization(),
    Column("member_id", Uuid),  # NULL: a program
    Column("made_by", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("status", Text, nullable=False, server_default="checking"),
    Column("round", Integer, nullable=False, server_default=text("1")),  # of the job that may work on it
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("sequence_id", Uuid),
    Column("a_day", Integer),  # people who start on one day; NULL = all at once
    Column("anyway", Text, nullable=False, server_default=""),  # why an admin enrolls people anyway
    Column("mapping", JSONB),  # title -> field; NULL = as remembered
    Column("content", LargeBinary),
    Column("report", LargeBinary),
    Column("left_out", LargeBinary),
    Column("task", Text, nullable=False, server_default=""),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, nullable=False, server_default=text("0")),
    moment("lease_until"),
    moment("created_at", nullable=False),
    within("member_id", "members"),
    within("sequence_id", "sequences"),
    one_of("status", "status", "checking", "checked", "refused", "importing", "imported"),
    CheckConstraint("a_day > 0", name="a_day"),
    CheckConstraint("(content IS NULL) = (status = 'imported')", name="content"),
    Index("ix_people_imports_made", "organization_id", "created_at"),
)

# Whom a member brought in without a sequence: so they see them.
brought_in = Table(
    "brought_in",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False),
    Column("member_id", Uuid, primary_key=True),
    Column("candidate_id", Uuid, primary_key=True),
    moment("created_at", nullable=False),
    within("member_id", "members"),
    within("candidate_id", "candidates"),
    Index("ix_brought_in_candidate", "candidate_id"),
)

# What an organization's columns mean, by a digest of all titles of a file.
column_mappings = Table(
    "column_mappings",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("headers", LargeBinary, primary_key=True),
    Column("mapping", JSONB, nullable=False),
    moment("used_at", nullable=False),
    CheckConstraint("octet_length(headers) = 32", name="headers"),
)
