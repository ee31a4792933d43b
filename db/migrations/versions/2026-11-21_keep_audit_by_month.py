"""Keep the audit trail by month, and old deliveries no longer than their months; note drafts that are being removed."""

import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "2026_11_21_audit_months"
down_revision = "2026_11_21_initial"

_COLUMNS = "id, organization_id, at, actor, action, subject, data, position, hash"
_TRIGGERS = """
CREATE TRIGGER append_only BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER sealed_once BEFORE UPDATE ON audit_entries FOR EACH ROW
    WHEN (OLD.position IS NOT NULL OR NEW.position IS NULL
          OR (OLD.id, OLD.organization_id, OLD.at, OLD.actor, OLD.action, OLD.subject, OLD.data)
             IS DISTINCT FROM (NEW.id, NEW.organization_id, NEW.at, NEW.actor, NEW.action, NEW.subject, NEW.data))
    EXECUTE FUNCTION refuse_change();
"""
_INDEXES = """
CREATE INDEX ix_audit_entries_subject ON audit_entries (organization_id, subject);
CREATE INDEX ix_audit_entries_recent ON audit_entries (at, action);
CREATE INDEX ix_audit_entries_unsealed ON audit_entries (organization_id, id) WHERE position IS NULL;
"""
_SET_ASIDE = """
ALTER TABLE audit_entries RENAME TO audit_entries_before;
ALTER TABLE audit_entries_before DROP CONSTRAINT pk_audit_entries, DROP CONSTRAINT fk_audit_entries_organization_id,
    DROP CONSTRAINT ck_audit_entries_sealed;
DROP INDEX ix_audit_entries_subject, ix_audit_entries_recent, ix_audit_entries_unsealed;
"""
_TABLE = """
CREATE TABLE audit_entries (
    id uuid NOT NULL CONSTRAINT pk_audit_entries PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT fk_audit_entries_organization_id REFERENCES organizations (id),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    data jsonb NOT NULL,
    position bigint,
    hash text,
    CONSTRAINT ck_audit_entries_sealed CHECK ((position IS NULL) = (hash IS NULL))
)
"""
_CHAINS = """
CREATE TABLE audit_chains (
    organization_id uuid NOT NULL CONSTRAINT pk_audit_chains PRIMARY KEY
        CONSTRAINT fk_audit_chains_organization_id REFERENCES organizations (id),
    position bigint NOT NULL DEFAULT 0,
    hash text NOT NULL DEFAULT repeat('0', 64),
    dropped_position bigint NOT NULL DEFAULT 0,
    dropped_hash text NOT NULL DEFAULT repeat('0', 64),
    kept_from timestamptz,
    CONSTRAINT ck_audit_chains_dropped CHECK (dropped_position <= position)
);
INSERT INTO audit_chains (organization_id, position, hash)
    SELECT DISTINCT ON (organization_id) organization_id, position, hash FROM audit_entries
    WHERE position IS NOT NULL ORDER BY organization_id, position DESC;
"""
# A receipt may go only when the audit trail of its time has gone.
_RECEIPTS = """
CREATE INDEX ix_deliveries_receipt ON deliveries (receipt_id) WHERE receipt_id IS NOT NULL;
CREATE FUNCTION refuse_early_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM audit_chains WHERE organization_id = OLD.organization_id AND OLD.accepted_at < kept_from) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a receipt is kept as long as the audit trail of its time' USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON receipts;
CREATE TRIGGER append_only BEFORE UPDATE ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER kept_with_the_trail BEFORE DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_early_deletion();
"""
_RECEIPTS_BACK = """
DROP TRIGGER append_only ON receipts;
DROP TRIGGER kept_with_the_trail ON receipts;
DROP FUNCTION refuse_early_deletion;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP INDEX ix_deliveries_receipt;
"""


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("fenced_draft", sa.Text()))
    op.execute(
        f"{_SET_ASIDE} ALTER TABLE audit_entries_before DROP CONSTRAINT uq_audit_entries_organization_id_position"
    )
    op.execute(f"{_TABLE} PARTITION BY RANGE (id)")
    op.execute(f"{_INDEXES} CREATE INDEX ix_audit_entries_chain ON audit_entries (organization_id, position)")
    op.execute("CREATE TABLE audit_entries_default PARTITION OF audit_entries DEFAULT")
    oldest = op.get_bind().execute(sa.text("SELECT min(at) FROM audit_entries_before")).scalar_one()
    now = datetime.now(UTC)
    month = (oldest or now).astimezone(UTC)
    number, last = month.year * 12 + month.month - 1, now.year * 12 + now.month + 1
    while number <= last:
        op.execute(
            f"CREATE TABLE audit_entries_{number // 12}_{number % 12 + 1:02} PARTITION OF audit_entries"
            f" FOR VALUES FROM ('{_first_id(number)}') TO ('{_first_id(number + 1)}')"
        )
        number += 1
    op.execute(f"INSERT INTO audit_entries ({_COLUMNS}) SELECT {_COLUMNS} FROM audit_entries_before")
    op.execute("DROP TABLE audit_entries_before")
    op.execute(_TRIGGERS)
    op.execute(_CHAINS)
    op.execute(_RECEIPTS)


def downgrade() -> None:
    op.drop_column("deliveries", "fenced_draft")
    op.execute(_RECEIPTS_BACK)
    op.execute("DROP TABLE audit_chains")
    op.execute(f"DROP INDEX ix_audit_entries_chain; {_SET_ASIDE}")
    op.execute(_TABLE)
    op.execute(
        f"{_INDEXES} ALTER TABLE audit_entries"
        " ADD CONSTRAINT uq_audit_entries_organization_id_position UNIQUE (organization_id, position)"
    )
    op.execute(f"INSERT INTO audit_entries ({_COLUMNS}) SELECT {_COLUMNS} FROM audit_entries_before")
    op.execute("DROP TABLE audit_entries_before")
    op.execute(_TRIGGERS)


def _first_id(month: int) -> uuid.UUID:
    """The least UUIDv7 of a month, counted from year 0."""
    at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return uuid.UUID(int=int(at.timestamp() * 1000) << 80)
