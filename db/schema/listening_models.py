"""Tables of listening: how far each mailbox is read, and the incoming email that concerns somebody."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKeyConstraint,
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

# One row for each mailbox that has somebody to hear from, or had.
mailbox_reads = Table(
    "mailbox_reads",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    organization(),
    # On the provider's clock: everything it received before is read.
    Column("watermark", DateTime(timezone=True), nullable=False),
    moment(
        "read_as_of"
    ),  # nothing is unread as of then, on our clock: when the last complete reading began, or a little before
    moment("next_read_at"),  # NULL = nobody to hear from
    moment("hinted_at"),  # when the provider last said that something arrived
    Column("round", Integer, nullable=False, server_default=text("0")),  # counts what was enqueued
    moment("queued_at"),  # of a message that no worker has taken yet
    Column("lease_token", Uuid),
    moment("lease_until"),
    Column("failures", Integer, nullable=False, server_default=text("0")),  # in a row
    Column("last_error", Text),  # of them; a code or a class, no words of the provider
    moment("failing_since"),
    Column("seen", BigInteger, nullable=False, server_default=text("0")),
    Column("matched", BigInteger, nullable=False, server_default=text("0")),
    # Where the provider's log is read from (domain/listening/bookmarks.py), and of which connection: another account has another log.
    Column("log_read", Text),
    Column("log_newest", Text),
    moment("log_newest_at"),
    Column("log_connection", Integer),
    within("mailbox_id", "mailboxes", ondelete="CASCADE"),
    CheckConstraint("(lease_token IS NULL) = (lease_until IS NULL)", name="lease"),
    CheckConstraint("(failures = 0) = (last_error IS NULL)", name="last_error"),
    CheckConstraint(
        "num_nonnulls(log_newest, log_newest_at, log_connection) IN (0, 3) AND (log_read IS NULL OR log_newest IS NOT NULL)",
        name="log",
    ),
    Index("ix_mailbox_reads_next", "next_read_at", postgresql_where=text("next_read_at IS NOT NULL")),
    Index("ix_mailbox_reads_queued", "queued_at", postgresql_where=text("queued_at IS NOT NULL")),
)

# What ends an enrollment, unless somebody overruled it, and what holds a person until somebody decides. An opt-out in words is
# proposed; one by its link or address is certain.
ENDS = (
    "overruled_at IS NULL AND (kind IN ('answer', 'left_company', 'sender_wrote') OR bounce_class = 'hard'"
    " OR (kind = 'opt_out' AND opt_out_words IS NULL))"
)
# Of message ``m``: it says that an address does not exist which is not the person's any more.
CORRECTED = "(m.kind = 'bounce' AND EXISTS (SELECT FROM deliveries y WHERE y.id = m.delivery_id AND y.sent_to IS NOT NULL))"
# What waits for a person to say what it is: few, of all that came in. As ``waits`` of db/views/messages.sql.
WAITS = (
    "status = 'matched' AND handled_at IS NULL AND overruled_at IS NULL"
    " AND (kind IN ('answer', 'unclear') OR (kind = 'opt_out' AND opt_out_words IS NOT NULL))"
)
PROPOSES = "kind = 'opt_out' AND opt_out_words IS NOT NULL AND handled_at IS NULL"

incoming_messages = Table(
    "incoming_messages",
    metadata,
    identifier(),
    organization(),
    Column("mailbox_id", Uuid),  # NULL: redirected mail
    Column("provider_id", Text),  # stays the same when it moves between folders
    Column("digest", LargeBinary),  # of redirected mail, so that it is kept once
    Column("message_id", Text),
    Column("conversation_id", Text),
    Column("sender", Text, nullable=False),
    Column("sender_name", Text, nullable=False, server_default=""),
    Column("recipients", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("subject", Text, nullable=False, server_default=""),
    Column("received_at", DateTime(timezone=True), nullable=False),  # on the provider's clock
    moment("recorded_at", nullable=False),
    Column("kind", Text, nullable=False),
    Column("matched_by", Text),
    Column("why", Text, nullable=False),  # one sentence for a person
    Column("delivery_id", Uuid),  # the email of ours that it is about
    Column("enrollment_id", Uuid),
    Column("candidate_id", Uuid),
    Column("bounce_class", Text),
    Column("bounce_recipient", Text),
    Column("bounce_status", Text),
    Column("return_on", Date),  # the first day on which a person who is away is back
    Column("opt_out_words", Text),
    # Encrypted under the web process's keys, which workers have too. NULL: gone before it was read, or erased.
    Column("text", LargeBinary),
    Column("html", LargeBinary),
    Column("attachments", JSONB, nullable=False, server_default=text("'[]'")),  # [{name, size, content_type}]
    Column("answer_class", Text),  # by a person
    moment("handled_at"),
    Column("handled_by", Text),
    moment("overruled_at"),
    Column("overruled_by", Text),
    Column("overrule_reason", Text),
    Column("status", Text, nullable=False, server_default="matched"),
    Column("unassigned_reason", Text),
    Column("sender_proof", JSONB),  # of redirected mail: what SPF, DKIM and DMARC say
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("mailbox_id", "provider_id"),
    UniqueConstraint("organization_id", "digest"),
    within("mailbox_id", "mailboxes"),
    within("enrollment_id", "enrollments"),
    within("candidate_id", "candidates"),
    # Settled deliveries are deleted after some months. What the person wrote stays with the person.
    ForeignKeyConstraint(
        ["delivery_id"], ["deliveries.id"], name="fk_incoming_messages_delivery", ondelete="SET NULL"
    ),
    one_of(
        "kind",
        "kind",
        "answer",
        "auto_reply",
        "left_company",
        "bounce",
        "opt_out",
        "sender_wrote",
        "other",
        "unclear",
    ),
    one_of("matched_by", "matched_by", "message_id", "conversation", "address", "thread_stranger"),
    one_of("bounce_class", "bounce_class", "hard", "soft", "sender"),
    one_of("answer_class", "answer_class", "interested", "not_now", "no", "wrong_person", "referral"),
    one_of("status", "status", "matched", "unassigned", "discarded"),
    CheckConstraint("(mailbox_id IS NULL) = (provider_id IS NULL)", name="provider_id"),
    CheckConstraint("mailbox_id IS NOT NULL OR digest IS NOT NULL", name="digest"),
    CheckConstraint("(kind = 'bounce') = (bounce_class IS NOT NULL)", name="bounce"),
    CheckConstraint("status <> 'matched' OR candidate_id IS NOT NULL", name="candidate"),
    CheckConstraint("status <> 'unassigned' OR unassigned_reason IS NOT NULL", name="unassigned"),
    CheckConstraint("(handled_at IS NULL) = (handled_by IS NULL)", name="handled"),
    CheckConstraint(
        "(overruled_at IS NULL) = (overruled_by IS NULL) AND (overruled_at IS NULL) = (overrule_reason IS NULL)",
        name="overruled",
    ),
    Index("ix_incoming_messages_candidate", "candidate_id", "received_at"),
    Index("ix_incoming_messages_delivery", "delivery_id", postgresql_where=text("delivery_id IS NOT NULL")),
    Index("ix_incoming_messages_mailbox", "mailbox_id", "received_at"),
    Index(
        "ix_incoming_messages_people",
        "mailbox_id",
        "candidate_id",
        postgresql_where=text("candidate_id IS NOT NULL"),
    ),
    Index("ix_incoming_messages_ends", "enrollment_id", postgresql_where=text(ENDS)),
    Index("ix_incoming_messages_proposed", "candidate_id", postgresql_where=text(PROPOSES)),
    Index(
        "ix_incoming_messages_unassigned",
        "organization_id",
        "recorded_at",
        postgresql_where=text("status <> 'matched'"),
    ),
    Index(
        "ix_incoming_messages_open",
        "organization_id",
        "received_at",
        postgresql_where=text("handled_at IS NULL AND status <> 'discarded'"),
    ),
    Index(
        "ix_incoming_messages_waiting",
        "organization_id",
        "received_at",
        postgresql_where=text(WAITS),
    ),
)
