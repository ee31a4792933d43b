"""The table of what runs: it belongs to no organization."""

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from db.schema.models import identifier, metadata, moment, one_of

# One row for each process, written every ten seconds (app/heartbeat.py), and kept for a day after its last one.
processes = Table(
    "processes",
    metadata,
    identifier(),
    Column("kind", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("queues", ARRAY(Text), nullable=False),  # a worker's
    Column("version", Text, nullable=False),
    Column("schema", Text, nullable=False),  # the newest revision that its code knows
    Column(
        "key_ids", ARRAY(Text), nullable=False
    ),  # of its key ring, or the one that it seals to; in hexadecimal digits
    Column("troubles", ARRAY(Text), nullable=False),  # why it is not ready; they may name hosts and roles
    Column(
        "works", Boolean, nullable=False, server_default=text("true")
    ),  # at all: whoever lacks one key is not ready, and serves everybody else
    moment("started_at", nullable=False),
    moment("seen_at", nullable=False),
    moment("last_job_at"),
    moment("stopped_at"),
    one_of("kind", "kind", "scheduler", "worker", "web", "inbox"),
    CheckConstraint("(kind = 'worker') = (queues <> '{}')", name="queues"),
)
