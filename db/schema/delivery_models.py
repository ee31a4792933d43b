"""Tables of the send path: deliveries, receipts, events, outbox, inbox, pauses and notices."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.schema.audit_models import actor, actor_kinds
from db.schema.models import identifier, metadata, moment, one_of, organization, within

STATES = (
    "pending",
    "queued",
    "preparing",
    "drafted",
    "sending",
    "sent",
    "in_doubt",
    "review",
    "closed",
)

deliveries = Table(
    "deliveries",
    metadata,
    identifier(),  # uuid5 of (enrollment, step): the correlation id derived from it survives a restored database
    organization(),
    Column("enrollment_id", Uuid, nullable=False),
    Column("sequence_id", Uuid, nullable=False),
    Column("step_id", Uuid, nullable=False),
    Column("mailbox_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("outcome", Text),  # of a closed delivery
    Column("reason", Text),  # why closed, held or in review
    moment("due_at", nullable=False),  # of a in_doubt delivery: when to look next
    # Waits for a person: out of the lane's index, so that paused work costs a tick nothing.
    Column("held", Boolean, nullable=False, server_default=text("false")),
    Column("dispatch_no", Integer, nullable=False, server_default=text("0")),
    moment("queued_at"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    moment("first_failed_at"),
    Column(
        "releases", Integer, nullable=False, server_default=text("0")
    ),  # attempts that ended in good order
    Column("lease_token", Uuid),
    moment("lease_until"),
    Column("epoch", BigInteger),  # the lane's, as of the gate
    Column("correlation_id", Text),  # derived, and kept so that it outlives a key rotation
    Column("draft_id", Text),
    Column(
        "recalled_draft", Text
    ),  # a draft that a withdrawal asks to remove: neither its acceptance nor its absence is news
    Column("internet_message_id", Text),
    Column("conversation_id", Text),
    moment("send_started_at"),  # set at the gate; from then on an absent draft proves nothing
    moment("grace_until"),  # a in_doubt delivery is looked for until then
    Column("reconcile_attempts", Integer, nullable=False, server_default=text("0")),
    Column("authority", JSONB),  # what the gate checked: becomes the receipt
    moment("sent_at"),
    Column("receipt_id", Uuid),
    moment(
        "left_check_at"
    ),  # of a sent delivery that was only accepted: when to see whether it has left Drafts
    moment("still_draft_at"),  # it had not, when it was last seen there
    moment("created_at", nullable=False),
    UniqueConstraint("enrollment_id", "step_id"),
    within("enrollment_id", "enrollments"),
    within("sequence_id", "sequences"),
    within("step_id", "steps"),
    within("mailbox_id", "mailboxes"),
    ForeignKeyConstraint(
        ["receipt_id"],
        ["receipts.delivery_id"],
        name="fk_deliveries_receipt",
        use_alter=True,
    ),
    one_of("state", "state", *STATES),
    CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="outcome"),
    CheckConstraint("outcome IN ('skipped', 'failed', 'cancelled')", name="outcome_known"),
    CheckConstraint(
        "(NOT held AND state NOT IN ('closed', 'review')) OR reason IS NOT NULL",
        name="reason",
    ),
    CheckConstraint("NOT held OR state = 'pending'", name="held"),
    CheckConstraint(
        "state <> 'sent' OR (receipt_id IS NOT NULL AND receipt_id = id AND sent_at IS NOT NULL)",
        name="sent_has_receipt",
    ),
    CheckConstraint(
        "state = 'sent' OR (left_check_at IS NULL AND still_draft_at IS NULL)",
        name="left_check",
    ),
    CheckConstraint(
        "state NOT IN ('preparing', 'drafted', 'sending') OR lease_token IS NOT NULL",
        name="lease",
    ),
    CheckConstraint(
        "state <> 'sending' OR (draft_id IS NOT NULL AND epoch IS NOT NULL AND authority IS NOT NULL)",
        name="gate",
    ),
    Index(
        "ix_deliveries_due",
        "mailbox_id",
        "due_at",
        postgresql_where=text("state = 'pending' AND NOT held"),
    ),
    Index("ix_deliveries_queued", "queued_at", postgresql_where=text("state = 'queued'")),
    Index(
        "ix_deliveries_slots",
        "mailbox_id",
        postgresql_where=text("state IN ('queued', 'preparing', 'drafted', 'sending')"),
    ),
    Index(
        "ix_deliveries_leases",
        "lease_until",
        postgresql_where=text("state IN ('preparing', 'drafted', 'sending')"),
    ),
    Index(
        "ix_deliveries_unsettled",
        "mailbox_id",
        postgresql_where=text("state IN ('sending', 'in_doubt')"),
    ),
    Index("ix_deliveries_in_doubt", "due_at", postgresql_where=text("state = 'in_doubt'")),
    Index(
        "ix_deliveries_left_check",
        "mailbox_id",
        "left_check_at",
        postgresql_where=text("left_check_at IS NOT NULL"),
    ),
    Index("ix_deliveries_still_draft", "mailbox_id", postgresql_where=text("still_draft_at IS NOT NULL")),
    Index(
        "ix_deliveries_review",
        "organization_id",
        postgresql_where=text("state = 'review'"),
    ),
    Index("ix_deliveries_sequence", "sequence_id", "state"),
    Index(
        "ix_deliveries_failed",
        "sequence_id",
        postgresql_where=text("state = 'closed' AND outcome = 'failed'"),
    ),
    Index(
        "ix_deliveries_reasons",
        "state",
        "reason",
        postgresql_where=text("reason IS NOT NULL AND state NOT IN ('sent', 'closed')"),
    ),
    Index("ix_deliveries_sent", "sent_at", postgresql_where=text("state = 'sent'")),
    # For the receipt's deletion: Postgres asks whether a delivery still points at it.
    Index("ix_deliveries_receipt", "receipt_id", postgresql_where=text("receipt_id IS NOT NULL")),
)

receipts = Table(
    "receipts",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    organization(),
    Column("owner_id", Uuid, nullable=False),
    Column("mailbox_id", Uuid, nullable=False),
    Column("sender", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("grant_id", Uuid),
    Column("grant_version", Integer),
    Column("connection_version", Integer, nullable=False),
    Column("lane_epoch", BigInteger, nullable=False),
    Column("checks", JSONB, nullable=False),  # [{check, at, detail}]
    Column("template_version", Text, nullable=False),
    Column("message_id", Text),
    Column("internet_message_id", Text),
    Column("conversation_id", Text),
    Column("request_id", Text),
    Column("known_by", Text, nullable=False),
    moment("accepted_at", nullable=False),
    ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_receipts_delivery"),
    within("owner_id", "members"),
    within("mailbox_id", "mailboxes"),
    within("grant_id", "grants"),
    one_of("authority", "authority", "own_mailbox", "sender_address", "grant_to_person", "grant_to_everyone"),
    one_of("known_by", "known_by", "answer", "search", "person"),
    CheckConstraint("(authority IN ('own_mailbox', 'sender_address')) = (grant_id IS NULL)", name="grant"),
    CheckConstraint("(grant_id IS NULL) = (grant_version IS NULL)", name="grant_version"),
)

events = Table(
    "events",
    metadata,
    identifier(),
    organization(),
    Column("kind", Text, nullable=False),
    Column("cause_key", Text, nullable=False),
    *actor(),
    Column("payload", JSONB, nullable=False),
    moment("occurred_at", nullable=False),
    UniqueConstraint("organization_id", "cause_key"),
    UniqueConstraint("organization_id", "id"),
    actor_kinds(),
)

outbox = Table(
    "outbox",
    metadata,
    identifier(),  # UUIDv7, for order in the index only; nothing ever reads "all after this one"
    Column("kind", Text, nullable=False),  # the actor's name
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("payload", JSONB, nullable=False),
    moment("created_at", nullable=False),
    moment("available_at", nullable=False),
    moment("published_at"),
    moment("done_at"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("parked_at"),  # enqueued too often: kept, and operators are alarmed
    Index(
        "ix_outbox_open",
        "available_at",
        postgresql_where=text("done_at IS NULL AND parked_at IS NULL"),
    ),
    Index(
        "ix_outbox_parked",
        "id",
        postgresql_where=text("parked_at IS NOT NULL AND done_at IS NULL"),
    ),
)

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("outbox_id", Uuid, primary_key=True),
    moment("consumed_at", nullable=False),
)

pauses = Table(
    "pauses",
    metadata,
    identifier(),
    organization(),
    Column("sequence_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("cause_key", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("people", Integer, nullable=False),
    moment("created_at", nullable=False),
    moment("resumed_at"),
    UniqueConstraint("sequence_id", "cause_key"),
    within("sequence_id", "sequences"),
    within("event_id", "events"),
    Index("ix_pauses_event", "event_id"),
)

notices = Table(
    "notices",
    metadata,
    identifier(),
    organization(),
    Column("owner_id", Uuid, nullable=False),  # the recipient
    Column("event_id", Uuid, nullable=False),
    Column("cause_key", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column(
        "links", JSONB, nullable=False, server_default=text("'[]'")
    ),  # [[label, path], …]: what can be done
    Column("mail_state", Text),
    moment("created_at", nullable=False),
    moment("read_at"),
    UniqueConstraint("cause_key", "owner_id", "channel"),
    within("owner_id", "members"),
    within("event_id", "events"),
    one_of("channel", "channel", "in_app", "email"),
    one_of("mail_state", "mail_state", "sending", "sent", "unknown", "failed"),
    CheckConstraint("(channel = 'email') = (mail_state IS NOT NULL)", name="email_has_state"),
    Index("ix_notices_owner", "owner_id", "id"),
)
