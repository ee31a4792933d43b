"""Mail that comes to the default addresses."""

from alembic import op

revision = "2026_11_29_received_mail"
down_revision = "2026_11_29_listening"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"


def upgrade() -> None:
    op.execute(f"""
        CREATE TABLE received_mail (
            id uuid NOT NULL CONSTRAINT pk_received_mail PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_received_mail_organization_id REFERENCES organizations (id),
            mailbox_id uuid NOT NULL,
            address text NOT NULL,
            sender text NOT NULL,
            peer text NOT NULL,
            helo text NOT NULL,
            encrypted boolean NOT NULL,
            raw bytea,
            size integer NOT NULL,
            digest bytea NOT NULL,
            auth jsonb,
            received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            processed_at timestamptz,
            failures integer NOT NULL DEFAULT 0,
            CONSTRAINT fk_received_mail_organization_id_mailbox_id FOREIGN KEY (organization_id, mailbox_id)
                REFERENCES mailboxes (organization_id, id) ON DELETE CASCADE,
            CONSTRAINT ck_received_mail_raw CHECK ((raw IS NULL) = (processed_at IS NOT NULL)),
            CONSTRAINT ck_received_mail_digest CHECK (octet_length(digest) = 32)
        );
        -- Sealed bytes do not compress.
        ALTER TABLE received_mail ALTER COLUMN raw SET STORAGE EXTERNAL;
        CREATE INDEX ix_received_mail_digest ON received_mail (organization_id, digest);
        CREATE INDEX ix_received_mail_received ON received_mail (received_at);
        ALTER TABLE received_mail ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON received_mail TO onbehalf_tenant USING (organization_id = {_OWN});

        CREATE TABLE incoming_files (
            id uuid NOT NULL CONSTRAINT pk_incoming_files PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_incoming_files_organization_id REFERENCES organizations (id),
            incoming_message_id uuid NOT NULL,
            name text NOT NULL,
            content_type text NOT NULL,
            size integer NOT NULL,
            content bytea NOT NULL,
            CONSTRAINT fk_incoming_files_organization_id_incoming_message_id FOREIGN KEY (organization_id, incoming_message_id)
                REFERENCES incoming_messages (organization_id, id) ON DELETE CASCADE
        );
        ALTER TABLE incoming_files ALTER COLUMN content SET STORAGE EXTERNAL;
        CREATE INDEX ix_incoming_files_message ON incoming_files (incoming_message_id);
        ALTER TABLE incoming_files ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON incoming_files TO onbehalf_tenant USING (organization_id = {_OWN});

        ALTER TABLE incoming_messages ADD COLUMN sender_proof jsonb;
        CREATE INDEX ix_incoming_messages_unassigned ON incoming_messages (organization_id, recorded_at)
            WHERE status <> 'matched';
    """)


def downgrade() -> None:
    op.execute("""
        DELETE FROM outbox WHERE kind = 'process_mail';
        DROP INDEX ix_incoming_messages_unassigned;
        ALTER TABLE incoming_messages DROP COLUMN sender_proof;
        DROP TABLE incoming_files;
        DROP TABLE received_mail;
    """)
