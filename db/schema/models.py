"""Tables of people, mailboxes and grants.

Sequences and candidates are in ``db/schema/sequence_models.py``, the send path is in ``db/schema/delivery_models.py``.

Constraints carry the rules: no bug above them can write what they refuse. Every reference between tenants' rows is
composite with ``organization_id``, so a row can never point into another organization.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identifier() -> Column[object]:
    """A primary key (UUID) that we generate, never the database."""
    return Column("id", Uuid, primary_key=True)


def moment(name: str, *, nullable: bool = True) -> Column[object]:
    """A point in time, aware UTC. NOT NULL moments default to the database's clock."""
    if nullable:
        return Column(name, DateTime(timezone=True))
    return Column(
        name,
        DateTime(timezone=True),
        nullable=False,
        server_default=func.clock_timestamp(),
    )


def organization() -> Column[object]:
    """The tenant a row belongs to."""
    return Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False)


def within(column: str, table: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference that cannot leave the organization."""
    theirs = [f"{table}.organization_id", f"{table}.id"]
    return ForeignKeyConstraint(["organization_id", column], theirs, ondelete=ondelete)


def one_of(name: str, column: str, *values: str) -> CheckConstraint:
    """A constraint: ``column`` holds one of ``values``."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=name)


organizations = Table(
    "organizations",
    metadata,
    identifier(),
    Column("name", Text, nullable=False, unique=True),
    Column("time_zone", Text, nullable=False),
    Column("sending", JSONB),  # SendWindow as JSON; NULL = at any time
    # The Entra tenant whose accounts may sign in. Operators set it; nobody outside can.
    Column("tenant_id", Text, unique=True),
    # Set while somebody waits for an administrator: a random token from which, with a key, their link derives (db/mailboxes/approvals.py).
    Column("approval_token", Text, unique=True),
    Column("sender_name", Text, nullable=False, server_default="company"),  # whose name sender addresses show
    Column("digest_until", Date),  # digests cover the time before this Monday
    # What an answer ends: the sequence for that person, or all of the organization's.
    Column("stop_scope", Text, nullable=False, server_default="sequence"),
    # Business days for which somebody is away who gives no day of return.
    Column("away_days", Integer, nullable=False, server_default=text("5")),
    Column("opt_out_line", Text),  # NULL = ours, in the language of the email
    # Between the last email to a person and a new sequence; 0 = none (domain/enrolling.py).
    Column("recontact_days", Integer, nullable=False, server_default=text("90")),
    # How long an incident may stay unread before others hear of it (domain/incidents.py).
    Column("unread_hours", Integer, nullable=False, server_default=text("24")),
    moment("created_at", nullable=False),
    one_of("sender_name", "sender_name", "company", "employee"),
    one_of("stop_scope", "stop_scope", "sequence", "organization"),
    CheckConstraint("away_days BETWEEN 1 AND 60", name="away_days"),
    CheckConstraint("recontact_days BETWEEN 0 AND 3650", name="recontact_days"),
    CheckConstraint("unread_hours BETWEEN 1 AND 168", name="unread_hours"),
)

legal_entities = Table(
    "legal_entities",
    metadata,
    identifier(),
    organization(),
    Column("parent_id", Uuid),
    Column("name", Text, nullable=False),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "name"),
    within("parent_id", "legal_entities"),
)

members = Table(
    "members",
    metadata,
    identifier(),
    organization(),
    Column("legal_entity_id", Uuid),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    # Counts activations, so that each deactivation has its own cause.
    Column("activity_version", Integer, nullable=False, server_default=text("1")),
    moment("deactivated_at"),
    # The first account that signed in, permanently: an address may change hands, an Entra oid does not.
    Column("account_id", Text),
    Column("time_zone", Text),  # of what they read; NULL = the organization's
    Column("backup_id", Uuid),  # hears of incidents that they do not read; NULL = the admins do
    # Hours of their zone in which no notice is sent; they may span midnight.
    Column("quiet_from", Time),
    Column("quiet_until", Time),
    Column("summary_on", Date),  # the day of their last daily summary
    # From which they send unless they choose another. No reference: it counts only while they may send from it.
    Column("default_mailbox_id", Uuid),
    moment("awaits_approval_since"),  # their connection waits for an administrator of the tenant
    # As an identity provider names them; NULL = by their address, none of its own, not said.
    Column("user_name", Text),
    Column("external_id", Text),
    Column("formatted_name", Text),
    Column("given_name", Text),
    Column("family_name", Text),
    moment("deprovisioned_at"),  # it deleted them: it sees them no more, and they have left
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "email"),
    UniqueConstraint("organization_id", "account_id"),
    Index("ix_members_email", "email"),
    within("legal_entity_id", "legal_entities"),
    within("backup_id", "members"),
    CheckConstraint("backup_id <> id", name="backup"),
    CheckConstraint("(quiet_from IS NULL) = (quiet_until IS NULL)", name="quiet"),
    one_of("role", "role", "owner", "admin", "member"),
    CheckConstraint("email = lower(email)", name="email_lower"),
    CheckConstraint("active = (deactivated_at IS NULL)", name="deactivated_at"),
    CheckConstraint("deprovisioned_at IS NULL OR NOT active", name="deprovisioned"),
    Index("uq_members_user_name", "organization_id", text("lower(user_name)"), unique=True),
)

# One account is one lane, whatever its addresses: the provider counts per account.
_KNOWN_ACCOUNT = "account_id <> '' AND tenant_id <> ''"
mailboxes = Table(
    "mailboxes",
    metadata,
    identifier(),
    organization(),
    Column("owner_id", Uuid),  # NULL: an address of a legal entity or the organization, or its default one
    Column("legal_entity_id", Uuid),
    # Several organizations may list an address, but only one sends from it (``uq_mailboxes_connected``).
    Column("address", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="never_connected"),
    Column("status_reason", Text),
    Column("connection_version", Integer, nullable=False, server_default=text("0")),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("tenant_id", Text),  # the provider's tenant; for Graph the Entra tenant's GUID
    Column("account_id", Text),  # the provider's immutable account id (Entra oid)
    Column("settings", JSONB),  # snapshot: zone, working hours, absence
    # What its owner sets instead of those working hours. A trigger puts them into the snapshot as its window.
    Column("own_hours", JSONB),
    Column("refused_sending", Text),  # the code of a refusal that only a successful email can clear
    Column("former_addresses", ARRAY(Text), nullable=False, server_default=text("'{}'")),  # newest last
    moment("renamed_at"),
    # What its emails end with, "" for none; the former ones by version, as receipts name them.
    Column("signature", Text, nullable=False, server_default=""),
    Column("signature_version", Integer, nullable=False, server_default=text("0")),
    Column("former_signatures", JSONB, nullable=False, server_default=text("'{}'")),
    # Of a tenant-wide connection: when its owner consented, and the tenant's end that it shares. {consented_at, lost_with}
    Column("tenant_wide", JSONB),
    moment("settings_at"),
    moment("reading_until"),  # while a worker reads the settings before a send
    moment("unread_until"),  # reading failed; nobody tries again until then
    moment("checked_at"),
    moment("connected_at"),
    moment("disconnected_at"),
    UniqueConstraint("organization_id", "id"),
    UniqueConstraint("organization_id", "id", "owner_id"),
    within("owner_id", "members"),
    within("legal_entity_id", "legal_entities"),
    one_of("provider", "provider", "graph", "microsoft_tenant", "gmail", "microsoft_smtp", "smtp", "default"),
    CheckConstraint("legal_entity_id IS NULL OR owner_id IS NULL", name="sender_address"),
    CheckConstraint(
        "provider <> 'default' OR (owner_id IS NULL AND legal_entity_id IS NULL)", name="default"
    ),
    UniqueConstraint("organization_id", "address"),
    Index("uq_mailboxes_connected", "address", unique=True, postgresql_where=text("status = 'connected'")),
    Index(
        "uq_mailboxes_default", "organization_id", unique=True, postgresql_where=text("provider = 'default'")
    ),
    Index(
        "uq_mailboxes_sender_address",
        "organization_id",
        "legal_entity_id",
        unique=True,
        postgresql_where=text("owner_id IS NULL AND provider <> 'default'"),
        postgresql_nulls_not_distinct=True,
    ),
    Index(
        "uq_mailboxes_account", "tenant_id", "account_id", unique=True, postgresql_where=text(_KNOWN_ACCOUNT)
    ),
    one_of("status", "status", "never_connected", "connected", "disconnected"),
    CheckConstraint("address = lower(address)", name="address_lower"),
    CheckConstraint("(status = 'disconnected') = (status_reason IS NOT NULL)", name="status_reason"),
    CheckConstraint("refused_sending IS NULL OR status = 'disconnected'", name="refused_sending"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    organization(),
    # Each write is a compare-and-set on (version, epoch), so a late refresh cannot reconnect a disconnected mailbox.
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("access_token", LargeBinary),
    moment("access_expires_at"),
    Column("refresh_token", LargeBinary),
    moment("updated_at", nullable=False),
    moment("refresh_not_before"),  # Entra asked us to wait until then
    moment("refused_at"),  # the provider refuses to refresh the tokens, for a reason we do not know
    Column("refused_code", Text),
    # For web, which cannot read the tokens.
    Column("renewable", Boolean, Computed("refresh_token IS NOT NULL", persisted=True), nullable=False),
    # Of the key that the tokens need, in hexadecimal digits: all are sealed at once.
    Column("key_id", Text, Computed("encode(substr(refresh_token, 2, 8), 'hex')", persisted=True)),
    # The access token from before a withdrawal. A trigger keeps it while drafts are removed; then it is erased.
    Column("last_token", LargeBinary),
    moment("last_token_until"),
    CheckConstraint("(last_token IS NULL) = (last_token_until IS NULL)", name="last_token"),
    within("mailbox_id", "mailboxes", ondelete="CASCADE"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("mailbox_id", Uuid, primary_key=True),
    organization(),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("open", Boolean, nullable=False, server_default=text("false")),
    Column("tokens", Float, nullable=False, server_default=text("4")),
    moment("refilled_at", nullable=False),
    moment("retry_after_until"),
    Column("wait_reason", Text),  # of ``retry_after_until``; NULL = a short wait the provider asked for
    # When the provider first and last said that the mailbox has reached its sending limit.
    moment("limited_since"),
    moment("limited_at"),
    moment("drafts_checked_at"),  # when we last checked Drafts for accepted emails that have not left
    moment("last_served_at"),
    moment("next_due_at"),  # when this lane next has work; NULL = none
    Column("daily_cap", Integer, nullable=False, server_default=text("1000")),
    Column("zone", Text, nullable=False, server_default="UTC"),  # whose midnight starts a new day's cap
    Column("sent_on", Date),
    Column("sent_today", Integer, nullable=False, server_default=text("0")),
    # The fourth of Graph's four slots: one search, recall or check at a time holds it.
    Column("slot_token", Uuid),
    moment("slot_until"),
    moment("testing_until"),  # a test email is in flight, and a withdrawal waits for it
    within("mailbox_id", "mailboxes"),
    CheckConstraint("tokens >= 0 AND tokens <= 4", name="bucket"),
    CheckConstraint("daily_cap > 0", name="daily_cap"),
    Index("ix_lanes_next_due", "next_due_at", postgresql_where=text("open")),
)

grants = Table(
    "grants",
    metadata,
    identifier(),
    organization(),
    Column("mailbox_id", Uuid, nullable=False),
    Column("mailbox_owner_id", Uuid, nullable=False),
    Column("grantee_id", Uuid),  # NULL = everyone in the organization, later joiners too
    Column("version", Integer, nullable=False, server_default=text("1")),
    # Bounds; NULL = none. The counter covers the mailbox's day and is kept only if there is a limit.
    moment("expires_at"),
    Column("sequence_ids", ARRAY(Uuid)),
    Column("daily_limit", Integer),
    Column("used_on", Date),
    Column("used_today", Integer, nullable=False, server_default=text("0")),
    # NULL: it sends by itself. {since}: the mailbox's owner reads the first email before it leaves; and by, at, text: they did.
    Column("first_email", JSONB),
    moment("given_at", nullable=False),
    Column("given_by_kind", Text, nullable=False, server_default="member"),
    Column("given_by", Text, nullable=False, server_default=""),
    moment("confirmed_at"),  # when the owner confirmed what an operator or a file gave in their name
    moment("archived_at"),
    Column("archived_reason", Text),
    UniqueConstraint("organization_id", "id"),
    # Only the mailbox's owner can grant it.
    ForeignKeyConstraint(
        ["organization_id", "mailbox_id", "mailbox_owner_id"],
        ["mailboxes.organization_id", "mailboxes.id", "mailboxes.owner_id"],
    ),
    within("grantee_id", "members"),
    CheckConstraint("grantee_id IS DISTINCT FROM mailbox_owner_id", name="not_to_oneself"),
    CheckConstraint("(archived_at IS NULL) = (archived_reason IS NULL)", name="archived_reason"),
    one_of("given_by_kind", "given_by_kind", "member", "operator", "import"),
    CheckConstraint("daily_limit > 0", name="daily_limit"),
    CheckConstraint("cardinality(sequence_ids) > 0", name="sequence_ids"),
    Index(
        "ix_grants_first_email",
        "mailbox_id",
        postgresql_where=text(
            "archived_at IS NULL AND first_email IS NOT NULL AND (first_email->>'by') IS NULL"
        ),
    ),
    Index("ix_grants_expires", "expires_at", postgresql_where=text("archived_at IS NULL")),
    Index("ix_grants_ended", "mailbox_id", "archived_at", postgresql_where=text("archived_at IS NOT NULL")),
    Index(
        "uq_grants_active",
        "mailbox_id",
        "grantee_id",
        unique=True,
        postgresql_where=text("archived_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    ),
)

grant_requests = Table(
    "grant_requests",
    metadata,
    identifier(),
    organization(),
    Column("mailbox_id", Uuid, nullable=False),
    Column("requester_id", Uuid, nullable=False),
    Column("words", Text, nullable=False, server_default=""),
    Column("program", Text, nullable=False, server_default=""),  # the API key that asked on their behalf
    Column("status", Text, nullable=False, server_default="open"),
    Column("grant_id", Uuid),
    moment("created_at", nullable=False),
    moment("settled_at"),
    within("mailbox_id", "mailboxes"),
    within("requester_id", "members"),
    within("grant_id", "grants"),
    one_of("status", "status", "open", "accepted", "declined"),
    CheckConstraint("(status = 'open') = (settled_at IS NULL)", name="settled_at"),
    CheckConstraint("(status = 'accepted') = (grant_id IS NOT NULL)", name="grant"),
    Index(
        "uq_grant_requests_open",
        "mailbox_id",
        "requester_id",
        unique=True,
        postgresql_where=text("status = 'open'"),
    ),
)
