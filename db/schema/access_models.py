"""Tables for access: to customers' mail servers, and to us (sessions, pending sign-ins, keys of the JSON API)."""

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

# A customer's mail server. The password is encrypted; disconnecting erases it. SMTP with Microsoft's sign-in has none.
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
    # For web, which cannot read the password.
    Column("has_password", Boolean, Computed("password IS NOT NULL", persisted=True), nullable=False),
    Column("key_id", Text, Computed("encode(substr(password, 2, 8), 'hex')", persisted=True)),
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
    Column("token_hash", LargeBinary, primary_key=True),  # SHA-256; only the cookie holds the token
    organization(),
    Column("member_id", Uuid, nullable=False),
    Column(
        "id", Uuid, nullable=False, server_default=func.gen_random_uuid(), unique=True
    ),  # identifies the session on a page
    Column("browser", Text, nullable=False, server_default=""),  # described in words for the session's owner
    # The sealed refresh token of the sign-in. We keep it only for members without a connected mailbox, to see when an
    # administrator has approved the app.
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
    ),  # hash of the browser's cookie: the answer must come from the same browser
    Column("purpose", Text, nullable=False),
    Column("member_id", Uuid),  # the member who connects a mailbox
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
    moment("expires_at"),  # NULL = no end
    # Of the key before it was replaced, which works a while longer.
    Column("former_hash", LargeBinary, unique=True),
    moment("former_until"),
    moment("revoked_at"),
    UniqueConstraint("organization_id", "name"),
    CheckConstraint(
        "scopes <@ ARRAY['read', 'manage', 'addresses'] AND cardinality(scopes) > 0 OR scopes = ARRAY['provision']",
        name="scopes",
    ),
    CheckConstraint("(former_hash IS NULL) = (former_until IS NULL)", name="former"),
)

# Answers to POST requests with an Idempotency-Key. A repeated request gets the same answer and does nothing.
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

# Customers' endpoints for events. The secret is encrypted; it signs each call.
webhooks = Table(
    "webhooks",
    metadata,
    identifier(),
    organization(),
    Column("url", Text),  # plain text, from before URLs were encrypted; the scheduler seals it
    Column("sealed_url", LargeBinary),  # the URL may itself be a secret
    Column("host", Text, nullable=False),  # the only part we show
    Column("url_code", LargeBinary),  # keyed hash: lets web recognize a URL that it cannot read
    Column("secret", LargeBinary, nullable=False),
    # Signs too, until somebody confirms that the receiver knows it: a trigger then takes it over, which web cannot read.
    Column("next_secret", LargeBinary),
    Column("replacing", Boolean, Computed("next_secret IS NOT NULL", persisted=True), nullable=False),
    moment("secret_confirmed_at"),
    Column("events", ARRAY(Text)),  # the types that it hears of; NULL = all
    moment("disabled_at"),  # not called until somebody enables it
    moment("created_at", nullable=False),
    moment("removed_at"),
    UniqueConstraint("organization_id", "id"),
    CheckConstraint("cardinality(events) > 0", name="events"),
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
    Column("answer", Text),  # result of the last attempt: a status, or the kind of failure
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

# Microsoft's change notifications for a mailbox. They are hints to look, never facts. A code derived from our key
# authenticates them.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    Column("folder", Text, primary_key=True, server_default="sent"),  # what it watches
    organization(),
    # Microsoft's id; for Gmail a code of the account, whose changes concern its mailboxes in all organizations
    Column("subscription_id", Text, nullable=False, index=True),
    Column(
        "key_id", LargeBinary, nullable=False
    ),  # the key that derived the code in this subscription's notifications
    Column("expires_at", DateTime(timezone=True), nullable=False),
    within("mailbox_id", "mailboxes"),
    one_of("folder", "folder", "sent", "inbox"),
)

# Results of our subscription requests: the lifetime that the provider accepts, and when to retry after a refusal.
subscription_requests = Table(
    "subscription_requests",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    Column("folder", Text, primary_key=True, server_default="sent"),
    organization(),
    Column("minutes", Integer),  # the lifetime accepted last; NULL = none accepted yet
    Column("refusals", Integer, nullable=False, server_default=text("0")),  # in a row
    moment("retry_at"),
    Column("code", Text),  # of the last refusal
    within("mailbox_id", "mailboxes"),
    CheckConstraint("minutes > 0", name="minutes"),
    CheckConstraint("refusals >= 0", name="refusals"),
    one_of("folder", "folder", "sent", "inbox"),
)

# Domains that an organization has proven it owns. Only there may it have sender addresses.
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

# The application's access to an organization's Microsoft tenant as a whole. ``version``: one for each time that it was connected.
tenant_connections = Table(
    "tenant_connections",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),  # why Microsoft refuses, while it is lost
    Column("code", Text),  # Microsoft's
    Column("version", Integer, nullable=False, server_default=text("1")),
    Column("connected_by", Text, nullable=False),
    moment("connected_at", nullable=False),
    moment("ended_at"),
    one_of("status", "status", "connected", "lost", "disconnected"),
    CheckConstraint("(status = 'connected') = (ended_at IS NULL)", name="ended"),
)

# Proof that somebody in the organization reads a sender address: we emailed a code there, and they entered it.
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

# The result of a form, for the page that follows: a line at its top, or a test's result. Kept for one day.
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

# Results of withdrawals. One row per cause, so repeating a withdrawal returns the same result.
withdrawals = Table(
    "withdrawals",
    metadata,
    identifier(),
    organization(),
    Column("cause_key", Text, nullable=False),
    Column("action", Text, nullable=False),  # see ``domain.withdrawal.Action``
    Column("subject_id", Uuid, nullable=False),
    Column("actor", Text, nullable=False),
    moment("created_at", nullable=False),
    moment("answered_at"),  # NULL while the withdrawal waits for emails in flight
    Column("stopped", Integer),
    Column("already_sent", Integer),
    moment("last_sent_at"),
    Column("in_doubt", ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    Column(
        "touched", JSONB, nullable=False, server_default=text("'[]'")
    ),  # sequences, with counts of stopped emails
    UniqueConstraint("organization_id", "cause_key"),
    CheckConstraint(
        "(answered_at IS NULL) = (stopped IS NULL) AND (answered_at IS NULL) = (already_sent IS NULL)",
        name="answered",
    ),
)

# Work that web hands to workers because it needs a token or a password (``domain/errands.py``), and its result.
errands = Table(
    "errands",
    metadata,
    identifier(),
    organization(),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),  # depends on the kind
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
        "revoke_access",
        "verify_audit",
        "test_webhook",
    ),
    CheckConstraint("ended_at IS NULL OR begun_at IS NOT NULL", name="ended"),
    Index("ix_errands_created", "created_at"),
)
