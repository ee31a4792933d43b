"""Grants may end by themselves, name sequences and limit a day's emails; members may ask for one, and hear each week what was sent on theirs; an administrator may approve the app."""

from alembic import op

revision = "2026_11_21_bounded_grants"
down_revision = "2026_11_21_sign_in"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE organizations ADD COLUMN digest_until date,
            ADD COLUMN approval_token text CONSTRAINT uq_organizations_approval_token UNIQUE;
        ALTER TABLE lanes ADD COLUMN testing_until timestamptz;
        ALTER TABLE members ADD COLUMN awaits_approval_since timestamptz;
        ALTER TABLE sign_ins DROP CONSTRAINT ck_sign_ins_purpose,
            ADD CONSTRAINT ck_sign_ins_purpose CHECK (purpose IN ('sign_in', 'connect', 'approve'));
        ALTER TABLE grants ADD COLUMN expires_at timestamptz,
            ADD COLUMN sequence_ids uuid[] CONSTRAINT ck_grants_sequence_ids CHECK (cardinality(sequence_ids) > 0),
            ADD COLUMN daily_limit integer CONSTRAINT ck_grants_daily_limit CHECK (daily_limit > 0),
            ADD COLUMN used_on date,
            ADD COLUMN used_today integer NOT NULL DEFAULT 0;
        CREATE INDEX ix_grants_expires ON grants (expires_at) WHERE archived_at IS NULL;
        CREATE TABLE grant_requests (
            id uuid NOT NULL CONSTRAINT pk_grant_requests PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_grant_requests_organization_id REFERENCES organizations (id),
            mailbox_id uuid NOT NULL,
            requester_id uuid NOT NULL,
            words text NOT NULL DEFAULT '',
            status text NOT NULL DEFAULT 'open'
                CONSTRAINT ck_grant_requests_status CHECK (status IN ('open', 'accepted', 'declined')),
            grant_id uuid,
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            settled_at timestamptz,
            CONSTRAINT fk_grant_requests_organization_id_mailbox_id FOREIGN KEY (organization_id, mailbox_id)
                REFERENCES mailboxes (organization_id, id),
            CONSTRAINT fk_grant_requests_organization_id_requester_id FOREIGN KEY (organization_id, requester_id)
                REFERENCES members (organization_id, id),
            CONSTRAINT fk_grant_requests_organization_id_grant_id FOREIGN KEY (organization_id, grant_id)
                REFERENCES grants (organization_id, id),
            CONSTRAINT ck_grant_requests_settled_at CHECK ((status = 'open') = (settled_at IS NULL)),
            CONSTRAINT ck_grant_requests_grant CHECK ((status = 'accepted') = (grant_id IS NOT NULL))
        );
        CREATE UNIQUE INDEX uq_grant_requests_open ON grant_requests (mailbox_id, requester_id) WHERE status = 'open';
    """)


def downgrade() -> None:
    op.execute("""
        DROP TABLE grant_requests;
        DELETE FROM sign_ins WHERE purpose = 'approve';
        ALTER TABLE sign_ins DROP CONSTRAINT ck_sign_ins_purpose,
            ADD CONSTRAINT ck_sign_ins_purpose CHECK (purpose IN ('sign_in', 'connect'));
        ALTER TABLE members DROP COLUMN awaits_approval_since;
        ALTER TABLE lanes DROP COLUMN testing_until;
        ALTER TABLE organizations DROP COLUMN digest_until, DROP COLUMN approval_token;
        ALTER TABLE grants DROP COLUMN expires_at, DROP COLUMN sequence_ids, DROP COLUMN daily_limit, DROP COLUMN used_on,
            DROP COLUMN used_today;
    """)
