"""Tables of ways in: to mail servers of people's own, and to us (sessions, sign-ins under way, keys of the JSON API)."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from db.schema.models import identifier, metadata, moment, one_of, organization, within

# A mail server of somebody's own. The password is encrypted, and erased by a disconnection; Microsoft's sign-in has none.
smtp_settings = Table(
    "smtp_settings",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    Column("provider", Text, primary_key=True),
    organization(),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("encryption", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("password", LargeBinary),
    # For web, which may not read the password.
    Column("has_password", Boolean, Computed("password IS NOT NULL", persisted=True), nullable=False),
    moment("updated_at", nullable=False),
    within("mailbox_id", "mailboxes"),
    one_of("provider", "provider", "microsoft_smtp", "smtp"),
    one_of("encryption", "encryption", "starttls", "tls"),
    CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    CheckConstraint("provider = 'smtp' OR password IS NULL", name="password"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # SHA-256; the token itself is only in the cookie
    organization(),
    Column("member_id", Uuid, nullable=False),
    Column(
        "id", Uuid, nullable=False, server_default=func.gen_random_uuid(), unique=True
    ),  # to name it on a page
    Column(
        "browser", Text, nullable=False, server_default=""
    ),  # in words, for the person whose session it is
    # Of the sign-in, sealed, kept only for members without a connected mailbox: it shows when an approval was given.
    Column("refresh_token", LargeBinary),
    Column("keeps_token", Boolean, Computed("refresh_token IS NOT NULL", persisted=True), nullable=False),
    moment("created_at", nullable=False),
    moment("seen_at", nullable=False),
    within("member_id", "members"),
    Index("ix_sessions_member", "member_id"),
    Index("ix_sessions_seen", "seen_at"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column(
        "browser_hash", LargeBinary, nullable=False
    ),  # of the browser's cookie: the answer must come from the same one
    Column("purpose", Text, nullable=False),
    Column("member_id", Uuid),  # who connects
    Column("flow", LargeBinary, nullable=False),  # encrypted: it holds the code verifier
    moment("created_at", nullable=False),
    one_of("purpose", "purpose", "sign_in", "connect", "approve"),
    CheckConstraint("(purpose = 'connect') = (member_id IS NOT NULL)", name="member"),
    Index("ix_sign_ins_created", "created_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    identifier(),
    organization(),
    Column("name", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False, unique=True),  # SHA-256; the key itself is shown once
    Column("scopes", ARRAY(Text), nullable=False),
    moment("created_at", nullable=False),
    moment("used_at"),
    moment("revoked_at"),
    UniqueConstraint("organization_id", "name"),
    CheckConstraint(
        "scopes <@ ARRAY['read', 'manage', 'addresses'] AND cardinality(scopes) > 0", name="scopes"
    ),
)

# What was answered to a POST with an Idempotency-Key, so that the same one again is answered alike and does nothing.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer),  # NULL while the first one is being answered
    Column("answer", JSONB),
    moment("created_at", nullable=False),
    CheckConstraint("(status IS NULL) = (answer IS NULL)", name="answered"),
    Index("ix_idempotency_keys_created", "created_at"),
)

# Other programs that hear of pauses and connections. The secret is encrypted; it signs what they get.
webhooks = Table(
    "webhooks",
    metadata,
    identifier(),
    organization(),
    Column("url", Text),  # in clear, of before they were encrypted; the scheduler seals it
    Column("sealed_url", LargeBinary),  # it may be a secret itself
    Column("host", Text, nullable=False),  # all of it that is shown
    Column("url_code", LargeBinary),  # keyed: web knows a URL again by it, which it cannot read
    Column("secret", LargeBinary, nullable=False),
    moment("created_at", nullable=False),
    moment("removed_at"),
    UniqueConstraint("organization_id", "id"),
    CheckConstraint("(url IS NULL) <> (sealed_url IS NULL)", name="url"),
)

webhook_calls = Table(
    "webhook_calls",
    metadata,
    Column("webhook_id", Uuid, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    organization(),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("answer", Text),  # of the last attempt, in a word: a status, or the kind of failure
    moment("lease_until"),  # while it is being called
    moment("created_at", nullable=False),
    within("webhook_id", "webhooks"),
    one_of("state", "state", "waiting", "taken", "given_up"),
    Index("ix_webhook_calls_created", "created_at"),
    Index(
        "ix_webhook_calls_lease",
        "organization_id",
        "lease_until",
        postgresql_where=text("lease_until IS NOT NULL"),
    ),
)

# Microsoft's notifications of changes in a mailbox: hints to look, never facts. They prove themselves by a code that a key of ours derives.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    organization(),
    Column("subscription_id", Text, nullable=False, unique=True),
    Column(
        "key_id", LargeBinary, nullable=False
    ),  # of the key that derived what its notifications prove themselves by
    Column("expires_at", DateTime(timezone=True), nullable=False),
    within("mailbox_id", "mailboxes"),
)

# How asking Microsoft for a subscription went: what it takes, and when to ask again after a refusal.
subscription_requests = Table(
    "subscription_requests",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    organization(),
    Column("minutes", Integer),  # the life that was taken last; NULL = nothing was taken yet
    Column("refusals", Integer, nullable=False, server_default=text("0")),  # in a row
    moment("retry_at"),
    within("mailbox_id", "mailboxes"),
    CheckConstraint("minutes > 0", name="minutes"),
    CheckConstraint("refusals >= 0", name="refusals"),
)

# Domains that an organization has shown to be its own: only there may it have addresses of its own.
organization_domains = Table(
    "organization_domains",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("domain", Text, primary_key=True),
    Column("known_by", Text, nullable=False),
    moment("verified_at", nullable=False),
    one_of("known_by", "known_by", "operator", "dns", "microsoft", "earlier"),
    CheckConstraint("domain = lower(domain)", name="domain_lower"),
)

# That somebody of the organization reads what arrives at a sender address: a code was emailed there and came back.
address_proofs = Table(
    "address_proofs",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    organization(),
    Column("code_hash", LargeBinary),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    moment("asked_at", nullable=False),
    moment("proven_at"),
    within("mailbox_id", "mailboxes"),
    CheckConstraint("code_hash IS NOT NULL OR proven_at IS NOT NULL", name="code"),
)

# What a form did, for the page that follows: a line above it, or the result of a test. Kept for a day.
page_results = Table(
    "page_results",
    metadata,
    identifier(),
    organization(),
    Column("member_id", Uuid, nullable=False),
    Column("content", JSONB, nullable=False),
    moment("created_at", nullable=False),
    within("member_id", "members"),
    Index("ix_page_results_member", "member_id", "created_at"),
)

# What a withdrawal answered, so that it can be read again. One row a cause: whoever repeats it reads the same.
withdrawals = Table(
    "withdrawals",
    metadata,
    identifier(),
    organization(),
    Column("cause_key", Text, nullable=False),
    Column("action", Text, nullable=False),  # what ended: see ``domain.withdrawal.Action``
    Column("subject_id", Uuid, nullable=False),
    Column("actor", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("answered_at"),  # NULL while it waits for emails on their way
    Column("stopped", Integer),
    Column("already_sent", Integer),
    moment("last_sent_at"),
    Column("in_doubt", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column("touched", JSONB, nullable=False, server_default=text("'[]'")),  # sequences, and emails stopped
    UniqueConstraint("organization_id", "cause_key"),
    CheckConstraint(
        "(answered_at IS NULL) = (stopped IS NULL) AND (answered_at IS NULL) = (already_sent IS NULL)",
        name="answered",
    ),
)

# What web asks of workers because it takes a token or a password (``domain/errands.py``), and what came of it.
errands = Table(
    "errands",
    metadata,
    identifier(),
    organization(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),  # a mailbox, a delivery, a member: whatever the kind is about
    Column("detail", Text, nullable=False, server_default=""),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("begin_until", nullable=False),
    moment("begun_at"),
    moment("ended_at"),
    Column("answer", JSONB),
    one_of(
        "kind",
        "kind",
        "send_test_email",
        "check_settings",
        "try_server",
        "read_domains",
        "watch_approval",
        "recall_draft",
        "search_once_more",
    ),
    CheckConstraint("ended_at IS NULL OR begun_at IS NOT NULL", name="ended"),
    Index("ix_errands_created", "created_at"),
)
