"""SMTP as a way of sending, and addresses of organizations and legal entities beside those of people."""

from alembic import op

from db.schema import equal_nulls

revision = "2026_11_21_smtp_and_companies"
down_revision = "2026_11_21_json_api"


def upgrade() -> None:
    op.execute("""
        ALTER TABLE mailboxes ALTER COLUMN owner_id DROP NOT NULL;
        ALTER TABLE mailboxes ADD COLUMN legal_entity_id uuid;
        ALTER TABLE mailboxes DROP CONSTRAINT ck_mailboxes_provider;
        ALTER TABLE mailboxes ADD CONSTRAINT ck_mailboxes_provider
            CHECK (provider IN ('graph', 'microsoft_smtp', 'smtp', 'default'));
        ALTER TABLE mailboxes ADD CONSTRAINT ck_mailboxes_company CHECK (legal_entity_id IS NULL OR owner_id IS NULL);
        ALTER TABLE mailboxes ADD CONSTRAINT ck_mailboxes_default
            CHECK (provider <> 'default' OR (owner_id IS NULL AND legal_entity_id IS NULL));
        ALTER TABLE mailboxes ADD CONSTRAINT fk_mailboxes_organization_id_legal_entity_id
            FOREIGN KEY (organization_id, legal_entity_id) REFERENCES legal_entities (organization_id, id);
        CREATE UNIQUE INDEX uq_mailboxes_default ON mailboxes (organization_id) WHERE provider = 'default';
    """)
    op.execute(
        equal_nulls.create(
            "uq_mailboxes_company",
            "mailboxes",
            ("organization_id", "legal_entity_id"),
            "owner_id IS NULL AND provider <> 'default'",
        )
    )
    op.execute("""
        ALTER TABLE organizations ADD COLUMN sender_name text NOT NULL DEFAULT 'company';
        ALTER TABLE organizations ADD CONSTRAINT ck_organizations_sender_name CHECK (sender_name IN ('company', 'employee'));
        ALTER TABLE sequences ADD COLUMN company boolean NOT NULL DEFAULT false;

        CREATE TABLE smtp_settings (
            mailbox_id uuid NOT NULL,
            provider text NOT NULL,
            organization_id uuid NOT NULL CONSTRAINT fk_smtp_settings_organization_id REFERENCES organizations (id),
            host text NOT NULL,
            port integer NOT NULL,
            encryption text NOT NULL,
            account text NOT NULL,
            password bytea,
            updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT pk_smtp_settings PRIMARY KEY (mailbox_id, provider),
            CONSTRAINT fk_smtp_settings_organization_id_mailbox_id
                FOREIGN KEY (organization_id, mailbox_id) REFERENCES mailboxes (organization_id, id),
            CONSTRAINT ck_smtp_settings_provider CHECK (provider IN ('microsoft_smtp', 'smtp')),
            CONSTRAINT ck_smtp_settings_encryption CHECK (encryption IN ('starttls', 'tls')),
            CONSTRAINT ck_smtp_settings_port CHECK (port BETWEEN 1 AND 65535),
            CONSTRAINT ck_smtp_settings_password CHECK (provider = 'smtp' OR password IS NULL)
        );

        ALTER TABLE receipts DROP CONSTRAINT ck_receipts_authority;
        ALTER TABLE receipts DROP CONSTRAINT ck_receipts_grant;
        ALTER TABLE receipts ADD CONSTRAINT ck_receipts_authority
            CHECK (authority IN ('own_mailbox', 'company_address', 'grant_to_person', 'grant_to_everyone'));
        ALTER TABLE receipts ADD CONSTRAINT ck_receipts_grant
            CHECK ((authority IN ('own_mailbox', 'company_address')) = (grant_id IS NULL));
    """)


def downgrade() -> None:
    # Company addresses have no place before; a database that used them cannot go back, and says so.
    op.execute("""
        ALTER TABLE mailboxes ALTER COLUMN owner_id SET NOT NULL;
        ALTER TABLE receipts DROP CONSTRAINT ck_receipts_grant;
        ALTER TABLE receipts DROP CONSTRAINT ck_receipts_authority;
        ALTER TABLE receipts ADD CONSTRAINT ck_receipts_authority
            CHECK (authority IN ('own_mailbox', 'grant_to_person', 'grant_to_everyone'));
        ALTER TABLE receipts ADD CONSTRAINT ck_receipts_grant CHECK ((authority = 'own_mailbox') = (grant_id IS NULL));
        DROP TABLE smtp_settings;
        ALTER TABLE sequences DROP COLUMN company;
        ALTER TABLE organizations DROP COLUMN sender_name;
        DROP INDEX uq_mailboxes_company;
        DROP INDEX uq_mailboxes_default;
        ALTER TABLE mailboxes DROP COLUMN legal_entity_id;
        ALTER TABLE mailboxes DROP CONSTRAINT ck_mailboxes_provider;
        ALTER TABLE mailboxes ADD CONSTRAINT ck_mailboxes_provider CHECK (provider IN ('graph', 'smtp'));
    """)
