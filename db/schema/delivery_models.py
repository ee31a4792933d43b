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

# Of emails that left, or may have left.
LEFT = "state IN ('sent', 'in_doubt', 'review')"

deliveries = Table(
    "deliveries",
    metadata,
    identifier(),  # uuid5 of (enrollment, step): the correlation id derived from it survives a database restore
    organization(),
    Column("enrollment_id", Uuid, nullable=False),
    Column("sequence_id", Uuid, nullable=False),
    Column("step_id", Uuid, nullable=False),
    Column("mailbox_id", Uuid, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("outcome", Text),  # of a closed delivery
    Column("reason", Text),  # why closed, held or in review
    moment("due_at", nullable=False),  # in doubt: when to look next
    # Waits for a person. Not in the lane's index, so paused work costs a tick nothing.
    Column("held", Boolean, nullable=False, server_default=text("false")),
    Column("dispatch_no", Integer, nullable=False, server_default=text("0")),
    moment("queued_at"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    moment("first_failed_at"),
    Column(
        "releases", Integer, nullable=False, server_default=text("0")
    ),  # attempts that ended without a crash
    Column("lease_token", Uuid),
    moment("lease_until"),
    Column("epoch", BigInteger),  # the lane's, as of the gate
    Column("correlation_id", Text),  # derived; stored so that it survives a key rotation
    Column("draft_id", Text),
    Column(
        "recalled_draft", Text
    ),  # a draft that a withdrawal wants removed: it does not matter whether it was accepted or is gone
    Column("internet_message_id", Text),
    Column("conversation_id", Text),
    moment("send_started_at"),  # set at the gate; from then on a missing draft proves nothing
    moment("grace_until"),  # in doubt: keep looking until then
    Column("reconcile_attempts", Integer, nullable=False, server_default=text("0")),
    Column("authority", JSONB),  # what the gate checked; becomes the receipt
    # What somebody decided about this email alone: it does not leave before, and it says this instead of what its step says.
    moment("not_before"),
    Column("own_subject", Text),
    Column("own_body", Text),
    Column("approval", JSONB),  # who approved which text, and when (``domain.approval.Approval``)
    Column("task", JSONB),  # who has done or skipped it, and when (``domain.task.Settled``)
    moment("sent_at"),
    Column("sent_to", Text),  # the address it went to, where the person has another one since
    Column("receipt_id", Uuid),
    moment(
        "left_check_at"
    ),  # of an email accepted but not yet confirmed: when to check that it has left Drafts
    moment("still_draft_at"),  # when we last saw it there still
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
    CheckConstraint("outcome IN ('skipped', 'failed', 'cancelled', 'done')", name="outcome_known"),
    CheckConstraint("outcome IS DISTINCT FROM 'done' OR task IS NOT NULL", name="task"),
    CheckConstraint(
        "(NOT held AND state NOT IN ('closed', 'review')) OR reason IS NOT NULL",
        name="reason",
    ),
    CheckConstraint("NOT held OR state = 'pending'", name="held"),
    CheckConstraint("own_subject IS NULL OR own_body IS NOT NULL", name="own_text"),
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
    # The outbox, of an organization and of a sequence.
    Index(
        "ix_deliveries_planned",
        "organization_id",
        "held",
        "due_at",
        "id",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_deliveries_planned_of",
        "sequence_id",
        "held",
        "due_at",
        "id",
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_deliveries_sent_to", "organization_id", "sent_to", postgresql_where=text("sent_to IS NOT NULL")
    ),
    # Emails that wait for an approval.
    Index(
        "ix_deliveries_approval",
        "organization_id",
        "due_at",
        "id",
        postgresql_where=text("state = 'pending' AND held AND reason = 'waits_for_approval'"),
    ),
    # Tasks that nobody has done yet.
    Index(
        "ix_deliveries_task",
        "organization_id",
        "due_at",
        "id",
        postgresql_where=text("state = 'pending' AND held AND reason = 'waits_for_task'"),
    ),
    Index(
        "ix_deliveries_first_email",
        "mailbox_id",
        "due_at",
        "id",
        postgresql_where=text("state = 'pending' AND held AND reason = 'waits_for_mailbox_owner'"),
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
    # What an incoming email may be about (db/listening/matching.py), and when a mailbox last sent.
    Index(
        "ix_deliveries_left",
        "mailbox_id",
        "sent_at",
        postgresql_where=text("state = 'sent'"),
    ),
    Index(
        "ix_deliveries_message_id",
        "internet_message_id",
        postgresql_where=text(LEFT),
    ),
    Index(
        "ix_deliveries_conversation",
        "conversation_id",
        postgresql_where=text(LEFT),
    ),
    # For deleting a receipt: Postgres checks whether a delivery still points to it.
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
    # What left on a permission, newest first.
    Index(
        "ix_receipts_grant",
        "grant_id",
        "accepted_at",
        "delivery_id",
        postgresql_where=text("grant_id IS NOT NULL"),
    ),
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
    identifier(),  # UUIDv7, only to keep the index in order; nothing reads "all rows after this one"
    Column("kind", Text, nullable=False),  # the actor's name
    Column("dedupe_key", Text, nullable=False, unique=True),
    Column("payload", JSONB, nullable=False),
    moment("created_at", nullable=False),
    moment("available_at", nullable=False),
    moment("published_at"),
    moment("done_at"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    moment("parked_at"),  # enqueued too often: kept, and operators are alerted
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
    ),  # [[label, path], …]: what the recipient can do
    Column("mail_state", Text),
    moment("created_at", nullable=False),
    moment("read_at"),
    # Of an incident (domain/incidents.py): the in-app notice of something that is not over.
    moment("opened_at"),
    moment("acknowledged_at"),
    Column("acknowledged_by", Text),
    moment("escalated_at"),  # others heard of it, because its owner had not read it
    moment("closed_at"),
    Column("in_summary", Boolean),  # true: waits for the daily summary; false: was in one
    UniqueConstraint("cause_key", "owner_id", "channel"),
    within("owner_id", "members"),
    within("event_id", "events"),
    one_of("channel", "channel", "in_app", "email"),
    one_of("mail_state", "mail_state", "sending", "sent", "unknown", "failed"),
    CheckConstraint("(channel = 'email') = (mail_state IS NOT NULL)", name="email_has_state"),
    CheckConstraint("opened_at IS NULL OR channel = 'in_app'", name="incident"),
    CheckConstraint("(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="acknowledged_by"),
    Index("ix_notices_owner", "owner_id", "id"),
    Index("ix_notices_in_summary", "owner_id", "id", postgresql_where=text("in_summary")),
    Index(
        "ix_notices_open_incidents",
        "organization_id",
        "id",
        postgresql_where=text("opened_at IS NOT NULL AND closed_at IS NULL"),
    ),
    Index(
        "ix_notices_closed_incidents",
        "organization_id",
        "closed_at",
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
    Index(
        "ix_notices_unread",
        "owner_id",
        postgresql_where=text("read_at IS NULL AND channel = 'in_app'"),
    ),
)
