"""The first schema: all tables, and the three rules that a constraint cannot say."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.schema import equal_nulls

revision = "2026_11_21_initial"
down_revision = None


RULES = """
CREATE FUNCTION refuse_inactive_grantee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.archived_at IS NULL AND NOT (
        SELECT bool_and(active) FROM members
        WHERE organization_id = NEW.organization_id AND id IN (NEW.grantee_id, NEW.grantor_id)
    ) THEN
        RAISE EXCEPTION 'a grant needs an active grantor and an active grantee' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_inactive_grantee BEFORE INSERT ON grants
    FOR EACH ROW EXECUTE FUNCTION refuse_inactive_grantee();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- An audit entry changes once: when it is sealed into the chain.
CREATE TRIGGER sealed_once BEFORE UPDATE ON audit_entries FOR EACH ROW
    WHEN (OLD.position IS NOT NULL OR NEW.position IS NULL
          OR (OLD.id, OLD.organization_id, OLD.at, OLD.actor, OLD.action, OLD.subject, OLD.data)
             IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.at, NEW.actor, NEW.action, NEW.subject, NEW.data))
    EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column(
            "consumed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("consumer", "outbox_id", name=op.f("pk_inbox")),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("sending", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("name", name=op.f("uq_organizations_name")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "available_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_outbox_dedupe_key")),
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["available_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.create_index(
        "ix_outbox_parked",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("parked_at IS NOT NULL AND done_at IS NULL"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.CheckConstraint("(position IS NULL) = (hash IS NULL)", name=op.f("ck_audit_entries_sealed")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_audit_entries_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint(
            "organization_id",
            "position",
            name=op.f("uq_audit_entries_organization_id_position"),
        ),
    )
    op.create_index(
        "ix_audit_entries_subject",
        "audit_entries",
        ["organization_id", "subject"],
        unique=False,
    )
    op.create_index("ix_audit_entries_recent", "audit_entries", ["at", "action"], unique=False)
    op.create_index(
        "ix_audit_entries_unsealed",
        "audit_entries",
        ["organization_id", "id"],
        unique=False,
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "candidates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("company", sa.Text(), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("location", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "fields",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_candidates_email_lower")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_candidates_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("organization_id", "email", name=op.f("uq_candidates_organization_id_email")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_candidates_organization_id_id")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "occurred_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_events_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "organization_id",
            "cause_key",
            name=op.f("uq_events_organization_id_cause_key"),
        ),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_events_organization_id_id")),
    )
    op.create_table(
        "legal_entities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "parent_id"],
            ["legal_entities.organization_id", "legal_entities.id"],
            name=op.f("fk_legal_entities_organization_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_legal_entities_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_entities")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_legal_entities_organization_id_id")),
        sa.UniqueConstraint(
            "organization_id",
            "name",
            name=op.f("uq_legal_entities_organization_id_name"),
        ),
    )
    op.create_table(
        "suppressions",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "reason IN ('unsubscribed', 'stopped', 'bounced')",
            name=op.f("ck_suppressions_reason"),
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_suppressions_email_lower")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_suppressions_organization_id"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "email", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("legal_entity_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "activity_version",
            sa.Integer(),
            server_default=sa.text("1"),
            nullable=False,
        ),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('owner', 'admin', 'member')", name=op.f("ck_members_role")),
        sa.CheckConstraint("active = (deactivated_at IS NULL)", name=op.f("ck_members_deactivated_at")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_members_email_lower")),
        sa.ForeignKeyConstraint(
            ["organization_id", "legal_entity_id"],
            ["legal_entities.organization_id", "legal_entities.id"],
            name=op.f("fk_members_organization_id_legal_entity_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_members_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("organization_id", "email", name=op.f("uq_members_organization_id_email")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_members_organization_id_id")),
    )
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="never_connected", nullable=False),
        sa.Column("status_reason", sa.Text(), nullable=True),
        sa.Column(
            "connection_version",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("settings", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("settings_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disconnected_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'disconnected') = (status_reason IS NOT NULL)",
            name=op.f("ck_mailboxes_status_reason"),
        ),
        sa.CheckConstraint("provider IN ('graph', 'smtp')", name=op.f("ck_mailboxes_provider")),
        sa.CheckConstraint(
            "status IN ('never_connected', 'connected', 'disconnected')",
            name=op.f("ck_mailboxes_status"),
        ),
        sa.CheckConstraint("address = lower(address)", name=op.f("ck_mailboxes_address_lower")),
        sa.ForeignKeyConstraint(
            ["organization_id", "owner_id"],
            ["members.organization_id", "members.id"],
            name=op.f("fk_mailboxes_organization_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_mailboxes_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
        sa.UniqueConstraint("address", name=op.f("uq_mailboxes_address")),
        sa.UniqueConstraint(
            "organization_id",
            "id",
            "owner_id",
            name=op.f("uq_mailboxes_organization_id_id_owner_id"),
        ),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_mailboxes_organization_id_id")),
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("mail_state", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(channel = 'email') = (mail_state IS NOT NULL)",
            name=op.f("ck_notices_email_has_state"),
        ),
        sa.CheckConstraint("channel IN ('in_app', 'email')", name=op.f("ck_notices_channel")),
        sa.CheckConstraint(
            "mail_state IN ('sending', 'sent', 'unknown', 'failed')",
            name=op.f("ck_notices_mail_state"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "event_id"],
            ["events.organization_id", "events.id"],
            name=op.f("fk_notices_organization_id_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "owner_id"],
            ["members.organization_id", "members.id"],
            name=op.f("fk_notices_organization_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_notices_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "cause_key",
            "owner_id",
            "channel",
            name=op.f("uq_notices_cause_key_owner_id_channel"),
        ),
    )
    op.create_index("ix_notices_owner", "notices", ["owner_id", "created_at"], unique=False)
    op.create_table(
        "credentials",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("access_token", sa.LargeBinary(), nullable=True),
        sa.Column("access_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refresh_token", sa.LargeBinary(), nullable=True),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "mailbox_id"],
            ["mailboxes.organization_id", "mailboxes.id"],
            name=op.f("fk_credentials_organization_id_mailbox_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_credentials_organization_id"),
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_credentials")),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("grantor_id", sa.Uuid(), nullable=False),
        sa.Column("grantee_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "given_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(archived_at IS NULL) = (archived_reason IS NULL)",
            name=op.f("ck_grants_archived_reason"),
        ),
        sa.CheckConstraint(
            "grantee_id IS DISTINCT FROM grantor_id",
            name=op.f("ck_grants_not_to_oneself"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "grantee_id"],
            ["members.organization_id", "members.id"],
            name=op.f("fk_grants_organization_id_grantee_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "mailbox_id", "grantor_id"],
            ["mailboxes.organization_id", "mailboxes.id", "mailboxes.owner_id"],
            name=op.f("fk_grants_organization_id_mailbox_id_grantor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_grants_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_grants_organization_id_id")),
    )
    op.execute(
        equal_nulls.create("uq_grants_active", "grants", ("mailbox_id", "grantee_id"), "archived_at IS NULL")
    )
    op.create_table(
        "lanes",
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("open", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("tokens", sa.Float(), server_default=sa.text("4"), nullable=False),
        sa.Column(
            "refilled_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("retry_after_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_served_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("daily_cap", sa.Integer(), server_default=sa.text("1000"), nullable=False),
        sa.Column("zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("sent_today", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("look_token", sa.Uuid(), nullable=True),
        sa.Column("look_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("daily_cap > 0", name=op.f("ck_lanes_daily_cap")),
        sa.CheckConstraint("tokens >= 0 AND tokens <= 4", name=op.f("ck_lanes_bucket")),
        sa.ForeignKeyConstraint(
            ["organization_id", "mailbox_id"],
            ["mailboxes.organization_id", "mailboxes.id"],
            name=op.f("fk_lanes_organization_id_mailbox_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_lanes_organization_id"),
        ),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_lanes")),
    )
    op.create_index(
        "ix_lanes_next_due",
        "lanes",
        ["next_due_at"],
        unique=False,
        postgresql_where=sa.text("open"),
    )
    op.create_table(
        "sequences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("sending", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "fields",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("paused_cause", sa.Text(), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'paused') = (paused_cause IS NOT NULL AND paused_reason IS NOT NULL AND paused_at IS NOT NULL)",
            name=op.f("ck_sequences_no_pause_without_reason"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'active', 'paused', 'archived')",
            name=op.f("ck_sequences_status"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "mailbox_id"],
            ["mailboxes.organization_id", "mailboxes.id"],
            name=op.f("fk_sequences_organization_id_mailbox_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "owner_id"],
            ["members.organization_id", "members.id"],
            name=op.f("fk_sequences_organization_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_sequences_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sequences")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_sequences_organization_id_id")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_sequences_organization_id_name")),
    )
    op.create_index("ix_sequences_mailbox", "sequences", ["mailbox_id"], unique=False)
    op.create_index("ix_sequences_owner", "sequences", ["owner_id"], unique=False)
    op.create_table(
        "enrollments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("candidate_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'paused') = (paused_at IS NOT NULL)",
            name=op.f("ck_enrollments_paused_at"),
        ),
        sa.CheckConstraint(
            "(status IN ('active', 'finished')) = (reason IS NULL)",
            name=op.f("ck_enrollments_reason"),
        ),
        sa.CheckConstraint(
            "status IN ('active', 'paused', 'stopped', 'archived', 'finished')",
            name=op.f("ck_enrollments_status"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "candidate_id"],
            ["candidates.organization_id", "candidates.id"],
            name=op.f("fk_enrollments_organization_id_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "sequence_id"],
            ["sequences.organization_id", "sequences.id"],
            name=op.f("fk_enrollments_organization_id_sequence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_enrollments_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollments")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_enrollments_organization_id_id")),
        sa.UniqueConstraint(
            "sequence_id",
            "candidate_id",
            name=op.f("uq_enrollments_sequence_id_candidate_id"),
        ),
    )
    op.create_index("ix_enrollments_candidate", "enrollments", ["candidate_id"], unique=False)
    op.create_table(
        "pauses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("resumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "event_id"],
            ["events.organization_id", "events.id"],
            name=op.f("fk_pauses_organization_id_event_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "sequence_id"],
            ["sequences.organization_id", "sequences.id"],
            name=op.f("fk_pauses_organization_id_sequence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_pauses_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
        sa.UniqueConstraint("sequence_id", "cause_key", name=op.f("uq_pauses_sequence_id_cause_key")),
    )
    op.create_index("ix_pauses_event", "pauses", ["event_id"], unique=False)
    op.create_table(
        "steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("delay", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "position > 1 OR subject IS NOT NULL",
            name=op.f("ck_steps_first_has_subject"),
        ),
        sa.CheckConstraint("position >= 1", name=op.f("ck_steps_position")),
        sa.ForeignKeyConstraint(
            ["organization_id", "sequence_id"],
            ["sequences.organization_id", "sequences.id"],
            name=op.f("fk_steps_organization_id_sequence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_steps_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_steps")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_steps_organization_id_id")),
    )
    op.create_index(
        "uq_steps_position",
        "steps",
        ["sequence_id", "position"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), nullable=False),
        sa.Column("sequence_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("held", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("dispatch_no", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handbacks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=True),
        sa.Column("marker", sa.Text(), nullable=True),
        sa.Column("draft_id", sa.Text(), nullable=True),
        sa.Column("internet_message_id", sa.Text(), nullable=True),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("send_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("authority", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(NOT held AND state NOT IN ('closed', 'review')) OR reason IS NOT NULL",
            name=op.f("ck_deliveries_reason"),
        ),
        sa.CheckConstraint(
            "(state = 'closed') = (outcome IS NOT NULL)",
            name=op.f("ck_deliveries_outcome"),
        ),
        sa.CheckConstraint("NOT held OR state = 'pending'", name=op.f("ck_deliveries_held")),
        sa.CheckConstraint(
            "outcome IN ('skipped', 'failed', 'cancelled')",
            name=op.f("ck_deliveries_outcome_known"),
        ),
        sa.CheckConstraint(
            "state <> 'sending' OR (draft_id IS NOT NULL AND epoch IS NOT NULL AND authority IS NOT NULL)",
            name=op.f("ck_deliveries_gate"),
        ),
        sa.CheckConstraint(
            "state <> 'sent' OR (receipt_id IS NOT NULL AND receipt_id = id AND sent_at IS NOT NULL)",
            name=op.f("ck_deliveries_sent_has_receipt"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'queued', 'preparing', 'drafted', 'sending', 'sent', 'reconciling', 'review', 'closed')",
            name=op.f("ck_deliveries_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('preparing', 'drafted', 'sending') OR lease_token IS NOT NULL",
            name=op.f("ck_deliveries_lease"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "enrollment_id"],
            ["enrollments.organization_id", "enrollments.id"],
            name=op.f("fk_deliveries_organization_id_enrollment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "mailbox_id"],
            ["mailboxes.organization_id", "mailboxes.id"],
            name=op.f("fk_deliveries_organization_id_mailbox_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "sequence_id"],
            ["sequences.organization_id", "sequences.id"],
            name=op.f("fk_deliveries_organization_id_sequence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "step_id"],
            ["steps.organization_id", "steps.id"],
            name=op.f("fk_deliveries_organization_id_step_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_deliveries_organization_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("enrollment_id", "step_id", name=op.f("uq_deliveries_enrollment_id_step_id")),
    )
    op.create_index(
        "ix_deliveries_doubtful",
        "deliveries",
        ["mailbox_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('sending', 'reconciling')"),
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["mailbox_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending' AND NOT held"),
    )
    op.create_index(
        "ix_deliveries_leases",
        "deliveries",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("state IN ('preparing', 'drafted', 'sending')"),
    )
    op.create_index(
        "ix_deliveries_looks",
        "deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'reconciling'"),
    )
    op.create_index(
        "ix_deliveries_queued",
        "deliveries",
        ["queued_at"],
        unique=False,
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "ix_deliveries_review",
        "deliveries",
        ["organization_id"],
        unique=False,
        postgresql_where=sa.text("state = 'review'"),
    )
    op.create_index(
        "ix_deliveries_reasons",
        "deliveries",
        ["state", "reason"],
        unique=False,
        postgresql_where=sa.text("reason IS NOT NULL AND state NOT IN ('sent', 'closed')"),
    )
    op.create_index(
        "ix_deliveries_sent",
        "deliveries",
        ["sent_at"],
        unique=False,
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.create_index("ix_deliveries_sequence", "deliveries", ["sequence_id", "state"], unique=False)
    op.create_index(
        "ix_deliveries_slots",
        "deliveries",
        ["mailbox_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued', 'preparing', 'drafted', 'sending')"),
    )
    op.create_table(
        "receipts",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("mailbox_id", sa.Uuid(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("grant_version", sa.Integer(), nullable=True),
        sa.Column("connection_version", sa.Integer(), nullable=False),
        sa.Column("lane_epoch", sa.BigInteger(), nullable=False),
        sa.Column("checks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("template_version", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("internet_message_id", sa.Text(), nullable=True),
        sa.Column("conversation_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column(
            "accepted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(authority = 'own_mailbox') = (grant_id IS NULL)",
            name=op.f("ck_receipts_grant"),
        ),
        sa.CheckConstraint(
            "authority IN ('own_mailbox', 'grant_to_person', 'grant_to_everyone')",
            name=op.f("ck_receipts_authority"),
        ),
        sa.CheckConstraint(
            "known_by IN ('answer', 'search', 'person')",
            name=op.f("ck_receipts_known_by"),
        ),
        sa.CheckConstraint(
            "(grant_id IS NULL) = (grant_version IS NULL)",
            name=op.f("ck_receipts_grant_version"),
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_receipts_delivery"),
        sa.ForeignKeyConstraint(
            ["organization_id", "grant_id"],
            ["grants.organization_id", "grants.id"],
            name=op.f("fk_receipts_organization_id_grant_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "mailbox_id"],
            ["mailboxes.organization_id", "mailboxes.id"],
            name=op.f("fk_receipts_organization_id_mailbox_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "owner_id"],
            ["members.organization_id", "members.id"],
            name=op.f("fk_receipts_organization_id_owner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_receipts_organization_id"),
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_receipts")),
    )
    op.create_foreign_key(
        "fk_deliveries_receipt",
        "deliveries",
        "receipts",
        ["receipt_id"],
        ["delivery_id"],
    )
    op.execute(RULES)


def downgrade() -> None:
    op.drop_constraint("fk_deliveries_receipt", "deliveries", type_="foreignkey")
    op.drop_table("receipts")
    op.drop_index(
        "ix_deliveries_slots",
        table_name="deliveries",
        postgresql_where=sa.text("state IN ('queued', 'preparing', 'drafted', 'sending')"),
    )
    op.drop_index("ix_deliveries_sequence", table_name="deliveries")
    op.drop_index(
        "ix_deliveries_reasons",
        table_name="deliveries",
        postgresql_where=sa.text("reason IS NOT NULL AND state NOT IN ('sent', 'closed')"),
    )
    op.drop_index(
        "ix_deliveries_sent",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.drop_index(
        "ix_deliveries_review",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'review'"),
    )
    op.drop_index(
        "ix_deliveries_queued",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.drop_index(
        "ix_deliveries_looks",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'reconciling'"),
    )
    op.drop_index(
        "ix_deliveries_leases",
        table_name="deliveries",
        postgresql_where=sa.text("state IN ('preparing', 'drafted', 'sending')"),
    )
    op.drop_index(
        "ix_deliveries_due",
        table_name="deliveries",
        postgresql_where=sa.text("state = 'pending' AND NOT held"),
    )
    op.drop_index(
        "ix_deliveries_doubtful",
        table_name="deliveries",
        postgresql_where=sa.text("state IN ('sending', 'reconciling')"),
    )
    op.drop_table("deliveries")
    op.drop_index(
        "uq_steps_position",
        table_name="steps",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.drop_table("steps")
    op.drop_index("ix_pauses_event", table_name="pauses")
    op.drop_table("pauses")
    op.drop_index("ix_enrollments_candidate", table_name="enrollments")
    op.drop_table("enrollments")
    op.drop_index("ix_sequences_owner", table_name="sequences")
    op.drop_index("ix_sequences_mailbox", table_name="sequences")
    op.drop_table("sequences")
    op.drop_index("ix_lanes_next_due", table_name="lanes", postgresql_where=sa.text("open"))
    op.drop_table("lanes")
    op.drop_index("uq_grants_active", table_name="grants")
    op.drop_table("grants")
    op.drop_table("credentials")
    op.drop_index("ix_notices_owner", table_name="notices")
    op.drop_table("notices")
    op.drop_table("mailboxes")
    op.drop_table("members")
    op.drop_table("suppressions")
    op.drop_table("legal_entities")
    op.drop_table("events")
    op.drop_table("candidates")
    op.drop_index(
        "ix_audit_entries_unsealed",
        table_name="audit_entries",
        postgresql_where=sa.text("position IS NULL"),
    )
    op.drop_index("ix_audit_entries_recent", table_name="audit_entries")
    op.drop_index("ix_audit_entries_subject", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_index(
        "ix_outbox_parked",
        table_name="outbox",
        postgresql_where=sa.text("parked_at IS NOT NULL AND done_at IS NULL"),
    )
    op.drop_index(
        "ix_outbox_open",
        table_name="outbox",
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_table("organizations")
    op.drop_table("inbox")
    op.execute("DROP FUNCTION refuse_inactive_grantee")
    op.execute("DROP FUNCTION refuse_change")
