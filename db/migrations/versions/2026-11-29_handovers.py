"""Hand-overs of sequences: requests, and with each sequence the last one, for its emails and their receipts.

What may have left from the former mailbox goes to review, so the table of moves has one more.
"""

from alembic import op
from sqlalchemy import text

revision = "2026_11_29_handovers"
down_revision = "2026_11_29_admin"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"

_BEFORE, _SINCE = "('preparing', 'review')", "('preparing', 'review'), ('pending', 'review')"


def upgrade() -> None:
    _rewrite(_BEFORE, _SINCE)
    op.execute(f"""
        ALTER TABLE sequences ADD COLUMN handed_over jsonb;

        CREATE TABLE handover_requests (
            id uuid NOT NULL CONSTRAINT pk_handover_requests PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_handover_requests_organization_id REFERENCES organizations (id),
            sequence_id uuid NOT NULL,
            to_owner_id uuid NOT NULL,
            asked_by_id uuid,
            asked_by text NOT NULL,
            words text NOT NULL DEFAULT '',
            status text NOT NULL DEFAULT 'open',
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            settled_at timestamptz,
            settled_by text,
            CONSTRAINT fk_handover_requests_organization_id_sequence_id FOREIGN KEY (organization_id, sequence_id)
                REFERENCES sequences (organization_id, id),
            CONSTRAINT fk_handover_requests_organization_id_to_owner_id FOREIGN KEY (organization_id, to_owner_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT fk_handover_requests_organization_id_asked_by_id FOREIGN KEY (organization_id, asked_by_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT ck_handover_requests_status CHECK (status IN ('open', 'accepted', 'declined', 'cancelled')),
            CONSTRAINT ck_handover_requests_settled CHECK ((status = 'open') = (settled_at IS NULL)
                AND (settled_at IS NULL) = (settled_by IS NULL))
        );
        CREATE UNIQUE INDEX uq_handover_requests_open ON handover_requests (sequence_id) WHERE status = 'open';
        CREATE INDEX ix_handover_requests_to ON handover_requests (to_owner_id) WHERE status = 'open';
        ALTER TABLE handover_requests ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON handover_requests TO onbehalf_tenant USING (organization_id = {_OWN});
    """)


def downgrade() -> None:
    _rewrite(_SINCE, _BEFORE)
    op.execute("""
        DROP TABLE handover_requests;
        ALTER TABLE sequences DROP COLUMN handed_over;
    """)


def _rewrite(old: str, new: str) -> None:
    found = op.get_bind().execute(text("SELECT pg_get_functiondef(CAST('check_delivery_move' AS regproc))"))
    op.get_bind().exec_driver_sql(found.scalar_one().replace(old, new).replace("%", "%%"))
