"""Tables of sequences, their steps, candidates and enrollments."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Index,
    Integer,
    LargeBinary,
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
    # Sends from the sender address that applies to its owner.
    Column("uses_sender_address", Boolean, nullable=False, server_default=text("false")),
    Column("sending", JSONB),
    Column("fields", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("paused_cause", Text),
    Column("paused_reason", Text),
    moment("paused_at"),
    moment("resumed_at"),  # earlier events cannot pause it any more, however late their fan-out
    moment("set_back_at"),  # of a draft that ran before
    Column("set_back_by", Text),  # the person who did it; then no file restarts it. NULL: a file did
    Column("stop_scope", Text),  # what an answer ends; NULL = as the organization says
    Column("opt_out_line", Text),  # NULL = the organization's
    Column("with_signature", Boolean, nullable=False, server_default=text("true")),  # of its mailbox
    # by_hand: one email to one person, written by hand, and what it answers: an email of ours or one that came in, or neither.
    Column("kind", Text, nullable=False, server_default="sequence"),
    Column("answers_delivery_id", Uuid),
    Column("answers_message_id", Uuid),
    Column("handed_over", JSONB),  # the last time (``domain.handover.HandedOver``); NULL = never
    moment("created_at", nullable=False),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name"),
    within("owner_id", "members"),
    within("mailbox_id", "mailboxes"),
    one_of("status", "status", "draft", "active", "paused", "archived"),
    one_of("stop_scope", "stop_scope", "sequence", "organization"),
    one_of("kind", "kind", "sequence", "by_hand"),
    CheckConstraint(
        "num_nonnulls(answers_delivery_id, answers_message_id) <= CASE kind WHEN 'by_hand' THEN 1 ELSE 0 END",
        name="answers",
    ),
    CheckConstraint(
        "(status = 'paused') = (paused_cause IS NOT NULL AND paused_reason IS NOT NULL AND paused_at IS NOT NULL)",
        name="no_pause_without_reason",
    ),
    Index("ix_sequences_mailbox", "mailbox_id"),
    Index("ix_sequences_owner", "owner_id"),
)

# Somebody is asked to take a sequence over. Whoever asked is a member, or a program or an operator (no ``asked_by_id``).
handover_requests = Table(
    "handover_requests",
    metadata,
    identifier(),
    organization(),
    Column("sequence_id", Uuid, nullable=False),
    Column("to_owner_id", Uuid, nullable=False),
    Column("asked_by_id", Uuid),
    Column("asked_by", Text, nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="open"),
    moment("created_at", nullable=False),
    moment("settled_at"),
    Column("settled_by", Text),
    within("sequence_id", "sequences"),
    within("to_owner_id", "members"),
    within("asked_by_id", "members"),
    one_of("status", "status", "open", "accepted", "declined", "cancelled"),
    CheckConstraint(
        "(status = 'open') = (settled_at IS NULL) AND (settled_at IS NULL) = (settled_by IS NULL)",
        name="settled",
    ),
    Index("uq_handover_requests_open", "sequence_id", unique=True, postgresql_where=text("status = 'open'")),
    Index("ix_handover_requests_to", "to_owner_id", postgresql_where=text("status = 'open'")),
)

steps = Table(
    "steps",
    metadata,
    identifier(),
    organization(),
    Column("sequence_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("delay", Text, nullable=False),  # without ``at``, as earlier releases know it
    Column("at", Text),  # the time of day on its last business day; NULL = that of the step before
    Column(
        "whole_delay",
        Text,
        Computed(
            "CASE WHEN delay LIKE '%business%' THEN delay || coalesce(' at ' || at, '') ELSE delay END",
            persisted=True,
        ),
        nullable=False,
    ),
    Column("subject", Text),  # NULL = same thread, or a task
    Column("body", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("key", Text),  # its id in the file it comes from
    # approval: its emails wait until somebody has read and approved them. task: somebody does it, and nothing leaves.
    Column("kind", Text, nullable=False, server_default="automatic"),
    Column("former", JSONB, nullable=False, server_default=text("'{}'")),  # version -> subject, body
    moment("retired_at"),
    UniqueConstraint("organization_id", "id"),
    within("sequence_id", "sequences"),
    one_of("kind", "kind", "automatic", "approval", "task"),
    CheckConstraint("position >= 1", name="position"),
    CheckConstraint("position > 1 OR subject IS NOT NULL OR kind = 'task'", name="first_has_subject"),
    CheckConstraint("kind <> 'task' OR subject IS NULL", name="task"),
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
    # They are away, for every sequence of the organization: until when, since when, and the message that said so.
    moment("away_until"),
    moment("away_since"),
    Column("away_message_id", Uuid),
    moment(
        "unclear_until"
    ),  # nobody knows what they wrote; their emails wait until then, or until somebody decides
    moment("erased_at"),  # nothing is left of them but this row, for what points to it
    moment("created_at", nullable=False),
    # What people are searched by: as they are, because row-level security lets no function near an index.
    Column(
        "whole_name",
        Text(collation="C"),
        Computed("lower(btrim(first_name || ' ' || last_name))", persisted=True),
    ),
    Column("family_name", Text(collation="C"), Computed("lower(last_name)", persisted=True)),
    Column("company_name", Text(collation="C"), Computed("lower(btrim(company))", persisted=True)),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "email"),
    Index("ix_candidates_whole_name", "organization_id", "whole_name", "email"),
    Index("ix_candidates_family_name", "organization_id", "family_name"),
    Index("ix_candidates_company_name", "organization_id", "company_name"),
    Index("ix_candidates_email", "organization_id", "email"),  # COLLATE "C", which nothing compares
    CheckConstraint("email = lower(email)", name="email_lower"),
    CheckConstraint("(away_until IS NULL) = (away_since IS NULL)", name="away"),
)

# Addresses and domains that nobody in the organization writes to. Lifted ones stay, for the record.
suppressions = Table(
    "suppressions",
    metadata,
    identifier(),
    organization(),
    Column("kind", Text, nullable=False, server_default="address"),
    Column("value", Text),  # NULL: erased, and only the keyed hash is left
    Column("address_hash", LargeBinary),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False, server_default=""),  # where it comes from, in words
    Column("delivery_id", Uuid),  # the email that the person wants no more of, while it is kept
    Column("candidate_id", Uuid),
    Column("created_by", Text, nullable=False, server_default=""),
    moment("created_at", nullable=False),
    moment("lifted_at"),
    Column("lifted_by", Text),
    Column("lift_reason", Text),
    within("candidate_id", "candidates"),
    one_of("kind", "kind", "address", "domain"),
    one_of("reason", "reason", "opt_out", "bounced", "by_hand", "imported", "complained", "erased"),
    CheckConstraint("value = lower(value)", name="value_lower"),
    CheckConstraint("value IS NOT NULL OR address_hash IS NOT NULL", name="value"),
    CheckConstraint(
        "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL)",
        name="lifted",
    ),
    Index(
        "uq_suppressions_value",
        "organization_id",
        "kind",
        "value",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
    Index(
        "uq_suppressions_hash",
        "organization_id",
        "kind",
        "address_hash",
        unique=True,
        postgresql_where=text("lifted_at IS NULL"),
    ),
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
    Column(
        "passed", ARRAY(Uuid), nullable=False, server_default=text("'{}'")
    ),  # steps added behind the person
    moment("paused_at"),
    moment("created_at", nullable=False),
    # Another one begins when the person's address is corrected, and nothing had reached them under the one before.
    Column("run", Integer, nullable=False, server_default=text("1")),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("sequence_id", "candidate_id", "run"),
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
