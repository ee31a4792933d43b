"""Listening: how far each mailbox is read, what came in, who is away, and a suppression list with domains and lifts."""

from alembic import op

revision = "2026_11_29_listening"
down_revision = "2026_11_29_vocabulary"
branch_labels = None
depends_on = None

_OWN = "NULLIF(current_setting('onbehalf.organization', true), '')::uuid"
_LEFT = "state IN ('sent', 'in_doubt', 'review')"
_ENDS = (
    "overruled_at IS NULL AND (kind IN ('answer', 'left_company', 'sender_wrote') OR bounce_class = 'hard'"
    " OR (kind = 'opt_out' AND opt_out_words IS NULL))"
)


def upgrade() -> None:
    _reading()
    _messages()
    _people()
    _suppressions()
    _subscriptions()


def _reading() -> None:
    op.execute(f"""
        CREATE TABLE mailbox_reads (
            mailbox_id uuid NOT NULL CONSTRAINT pk_mailbox_reads PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_mailbox_reads_organization_id REFERENCES organizations (id),
            watermark timestamptz NOT NULL,
            read_as_of timestamptz,
            next_read_at timestamptz,
            hinted_at timestamptz,
            round integer NOT NULL DEFAULT 0,
            queued_at timestamptz,
            lease_token uuid,
            lease_until timestamptz,
            failures integer NOT NULL DEFAULT 0,
            last_error text,
            seen bigint NOT NULL DEFAULT 0,
            matched bigint NOT NULL DEFAULT 0,
            CONSTRAINT fk_mailbox_reads_organization_id_mailbox_id FOREIGN KEY (organization_id, mailbox_id)
                REFERENCES mailboxes (organization_id, id) ON DELETE CASCADE,
            CONSTRAINT ck_mailbox_reads_lease CHECK ((lease_token IS NULL) = (lease_until IS NULL)),
            CONSTRAINT ck_mailbox_reads_last_error CHECK ((failures = 0) = (last_error IS NULL))
        );
        CREATE INDEX ix_mailbox_reads_next ON mailbox_reads (next_read_at) WHERE next_read_at IS NOT NULL;
        CREATE INDEX ix_mailbox_reads_queued ON mailbox_reads (queued_at) WHERE queued_at IS NOT NULL;
        CREATE INDEX ix_deliveries_left ON deliveries (mailbox_id, sent_at) WHERE state = 'sent';
        CREATE INDEX ix_deliveries_message_id ON deliveries (internet_message_id) WHERE {_LEFT};
        CREATE INDEX ix_deliveries_conversation ON deliveries (conversation_id) WHERE {_LEFT};
    """)
    _keep_apart("mailbox_reads")


def _messages() -> None:
    op.execute(f"""
        CREATE TABLE incoming_messages (
            id uuid NOT NULL CONSTRAINT pk_incoming_messages PRIMARY KEY,
            organization_id uuid NOT NULL CONSTRAINT fk_incoming_messages_organization_id REFERENCES organizations (id),
            mailbox_id uuid,
            provider_id text,
            digest bytea,
            message_id text,
            conversation_id text,
            sender text NOT NULL,
            sender_name text NOT NULL DEFAULT '',
            recipients text[] NOT NULL DEFAULT '{{}}',
            subject text NOT NULL DEFAULT '',
            received_at timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            kind text NOT NULL,
            matched_by text,
            why text NOT NULL,
            delivery_id uuid,
            enrollment_id uuid,
            candidate_id uuid,
            bounce_class text,
            bounce_recipient text,
            bounce_status text,
            return_on date,
            opt_out_words text,
            text bytea,
            html bytea,
            attachments jsonb NOT NULL DEFAULT '[]',
            answer_class text,
            handled_at timestamptz,
            handled_by text,
            overruled_at timestamptz,
            overruled_by text,
            overrule_reason text,
            status text NOT NULL DEFAULT 'matched',
            unassigned_reason text,
            CONSTRAINT uq_incoming_messages_organization_id_id UNIQUE (organization_id, id),
            CONSTRAINT uq_incoming_messages_mailbox_id_provider_id UNIQUE (mailbox_id, provider_id),
            CONSTRAINT uq_incoming_messages_organization_id_digest UNIQUE (organization_id, digest),
            CONSTRAINT fk_incoming_messages_organization_id_mailbox_id
                FOREIGN KEY (organization_id, mailbox_id) REFERENCES mailboxes (organization_id, id),
            CONSTRAINT fk_incoming_messages_organization_id_enrollment_id
                FOREIGN KEY (organization_id, enrollment_id) REFERENCES enrollments (organization_id, id),
            CONSTRAINT fk_incoming_messages_organization_id_candidate_id
                FOREIGN KEY (organization_id, candidate_id) REFERENCES candidates (organization_id, id),
            CONSTRAINT fk_incoming_messages_delivery FOREIGN KEY (delivery_id) REFERENCES deliveries (id) ON DELETE SET NULL,
            CONSTRAINT ck_incoming_messages_kind CHECK (kind IN ('answer', 'auto_reply', 'left_company', 'bounce', 'opt_out',
                'sender_wrote', 'other', 'unclear')),
            CONSTRAINT ck_incoming_messages_matched_by
                CHECK (matched_by IN ('message_id', 'conversation', 'address', 'thread_stranger')),
            CONSTRAINT ck_incoming_messages_bounce_class CHECK (bounce_class IN ('hard', 'soft', 'sender')),
            CONSTRAINT ck_incoming_messages_answer_class
                CHECK (answer_class IN ('interested', 'not_now', 'no', 'wrong_person', 'referral')),
            CONSTRAINT ck_incoming_messages_status CHECK (status IN ('matched', 'unassigned', 'discarded')),
            CONSTRAINT ck_incoming_messages_provider_id CHECK ((mailbox_id IS NULL) = (provider_id IS NULL)),
            CONSTRAINT ck_incoming_messages_digest CHECK (mailbox_id IS NOT NULL OR digest IS NOT NULL),
            CONSTRAINT ck_incoming_messages_bounce CHECK ((kind = 'bounce') = (bounce_class IS NOT NULL)),
            CONSTRAINT ck_incoming_messages_candidate CHECK (status <> 'matched' OR candidate_id IS NOT NULL),
            CONSTRAINT ck_incoming_messages_unassigned CHECK (status <> 'unassigned' OR unassigned_reason IS NOT NULL),
            CONSTRAINT ck_incoming_messages_handled CHECK ((handled_at IS NULL) = (handled_by IS NULL)),
            CONSTRAINT ck_incoming_messages_overruled CHECK (
                (overruled_at IS NULL) = (overruled_by IS NULL) AND (overruled_at IS NULL) = (overrule_reason IS NULL))
        );
        CREATE INDEX ix_incoming_messages_candidate ON incoming_messages (candidate_id, received_at);
        CREATE INDEX ix_incoming_messages_delivery ON incoming_messages (delivery_id) WHERE delivery_id IS NOT NULL;
        CREATE INDEX ix_incoming_messages_mailbox ON incoming_messages (mailbox_id, received_at);
        CREATE INDEX ix_incoming_messages_ends ON incoming_messages (enrollment_id) WHERE {_ENDS};
        CREATE INDEX ix_incoming_messages_proposed ON incoming_messages (candidate_id)
            WHERE kind = 'opt_out' AND opt_out_words IS NOT NULL AND handled_at IS NULL;
        CREATE INDEX ix_incoming_messages_open ON incoming_messages (organization_id, received_at)
            WHERE handled_at IS NULL AND status <> 'discarded';
    """)
    _keep_apart("incoming_messages")


def _people() -> None:
    op.execute("""
        ALTER TABLE candidates
            ADD COLUMN away_until timestamptz,
            ADD COLUMN away_since timestamptz,
            ADD COLUMN away_message_id uuid,
            ADD COLUMN unclear_until timestamptz,
            ADD CONSTRAINT ck_candidates_away CHECK ((away_until IS NULL) = (away_since IS NULL));
        ALTER TABLE organizations
            ADD COLUMN stop_scope text NOT NULL DEFAULT 'sequence',
            ADD COLUMN away_days integer NOT NULL DEFAULT 5,
            ADD COLUMN opt_out_line text,
            ADD CONSTRAINT ck_organizations_stop_scope CHECK (stop_scope IN ('sequence', 'organization')),
            ADD CONSTRAINT ck_organizations_away_days CHECK (away_days BETWEEN 1 AND 60);
        ALTER TABLE sequences
            ADD COLUMN stop_scope text,
            ADD COLUMN opt_out_line text,
            ADD CONSTRAINT ck_sequences_stop_scope CHECK (stop_scope IN ('sequence', 'organization'));
    """)


def _suppressions() -> None:
    op.execute("""
        ALTER TABLE suppressions RENAME COLUMN email TO value;
        ALTER TABLE suppressions RENAME CONSTRAINT ck_suppressions_email_lower TO ck_suppressions_value_lower;
        ALTER TABLE suppressions DROP CONSTRAINT pk_suppressions;
        ALTER TABLE suppressions DROP CONSTRAINT ck_suppressions_reason;
        ALTER TABLE suppressions
            ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
            ADD COLUMN kind text NOT NULL DEFAULT 'address',
            ADD COLUMN address_hash bytea,
            ADD COLUMN source text NOT NULL DEFAULT '',
            ADD COLUMN delivery_id uuid,
            ADD COLUMN candidate_id uuid,
            ADD COLUMN created_by text NOT NULL DEFAULT '',
            ADD COLUMN lifted_at timestamptz,
            ADD COLUMN lifted_by text,
            ADD COLUMN lift_reason text,
            ALTER COLUMN value DROP NOT NULL;
        ALTER TABLE suppressions ALTER COLUMN id DROP DEFAULT;
        UPDATE suppressions s SET candidate_id = c.id FROM candidates c
            WHERE c.organization_id = s.organization_id AND c.email = s.value;
        UPDATE suppressions SET reason = CASE reason WHEN 'unsubscribed' THEN 'opt_out' WHEN 'stopped' THEN 'by_hand'
            ELSE reason END;
        ALTER TABLE suppressions
            ADD CONSTRAINT pk_suppressions PRIMARY KEY (id),
            ADD CONSTRAINT fk_suppressions_organization_id_candidate_id
                FOREIGN KEY (organization_id, candidate_id) REFERENCES candidates (organization_id, id),
            ADD CONSTRAINT ck_suppressions_kind CHECK (kind IN ('address', 'domain')),
            ADD CONSTRAINT ck_suppressions_reason
                CHECK (reason IN ('opt_out', 'bounced', 'by_hand', 'imported', 'complained', 'erased')),
            ADD CONSTRAINT ck_suppressions_value CHECK (value IS NOT NULL OR address_hash IS NOT NULL),
            ADD CONSTRAINT ck_suppressions_lifted CHECK (
                (lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL));
        CREATE UNIQUE INDEX uq_suppressions_value ON suppressions (organization_id, kind, value) WHERE lifted_at IS NULL;
        CREATE UNIQUE INDEX uq_suppressions_hash ON suppressions (organization_id, kind, address_hash)
            WHERE lifted_at IS NULL;

        -- Why nobody may write to an address (in lower case), or NULL. A domain stands for everything below it too.
        -- In plpgsql because its plan is kept: every send asks.
        CREATE FUNCTION suppressed(organization uuid, address text) RETURNS text
            LANGUAGE plpgsql STABLE AS $$
            DECLARE labels text[] := string_to_array(split_part(address, '@', 2), '.');
            BEGIN
                RETURN (SELECT reason FROM suppressions WHERE organization_id = organization AND lifted_at IS NULL
                    AND (kind = 'address' AND value = address OR kind = 'domain' AND value = ANY(ARRAY(
                        SELECT array_to_string(labels[n:], '.') FROM generate_series(1, cardinality(labels)) n)))
                    ORDER BY kind LIMIT 1);
            END $$;
    """)


def _subscriptions() -> None:
    for table in ("subscriptions", "subscription_requests"):
        op.execute(f"""
            ALTER TABLE {table} ADD COLUMN folder text NOT NULL DEFAULT 'sent';
            ALTER TABLE {table} DROP CONSTRAINT pk_{table};
            ALTER TABLE {table}
                ADD CONSTRAINT pk_{table} PRIMARY KEY (mailbox_id, folder),
                ADD CONSTRAINT ck_{table}_folder CHECK (folder IN ('sent', 'inbox'));
        """)


def _keep_apart(table: str) -> None:
    op.execute(f"""
        GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO onbehalf_tenant;
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON {table} TO onbehalf_tenant USING (organization_id = {_OWN});
    """)


def downgrade() -> None:
    for table in ("subscriptions", "subscription_requests"):
        op.execute(f"""
            DELETE FROM {table} WHERE folder <> 'sent';
            ALTER TABLE {table} DROP CONSTRAINT pk_{table};
            ALTER TABLE {table} DROP COLUMN folder, ADD CONSTRAINT pk_{table} PRIMARY KEY (mailbox_id);
        """)
    # The release before knows addresses and three reasons alone. Nobody is written to who must not be: every reason stays a no.
    op.execute("""
        DROP FUNCTION suppressed;
        DROP INDEX uq_suppressions_hash;
        DROP INDEX uq_suppressions_value;
        DELETE FROM suppressions WHERE lifted_at IS NOT NULL OR kind <> 'address' OR value IS NULL;
        ALTER TABLE suppressions
            DROP CONSTRAINT pk_suppressions, DROP CONSTRAINT ck_suppressions_reason,
            DROP CONSTRAINT ck_suppressions_value, DROP CONSTRAINT ck_suppressions_lifted,
            DROP CONSTRAINT fk_suppressions_organization_id_candidate_id, DROP CONSTRAINT ck_suppressions_kind;
        UPDATE suppressions SET reason = CASE WHEN reason = 'bounced' THEN 'bounced'
            WHEN reason IN ('opt_out', 'complained') THEN 'unsubscribed' ELSE 'stopped' END;
        ALTER TABLE suppressions RENAME COLUMN value TO email;
        ALTER TABLE suppressions RENAME CONSTRAINT ck_suppressions_value_lower TO ck_suppressions_email_lower;
        ALTER TABLE suppressions
            DROP COLUMN id, DROP COLUMN kind, DROP COLUMN address_hash, DROP COLUMN source, DROP COLUMN delivery_id,
            DROP COLUMN candidate_id, DROP COLUMN created_by, DROP COLUMN lifted_at, DROP COLUMN lifted_by,
            DROP COLUMN lift_reason,
            ALTER COLUMN email SET NOT NULL,
            ADD CONSTRAINT pk_suppressions PRIMARY KEY (organization_id, email),
            ADD CONSTRAINT ck_suppressions_reason CHECK (reason IN ('unsubscribed', 'stopped', 'bounced'));
        ALTER TABLE sequences DROP COLUMN stop_scope, DROP COLUMN opt_out_line;
        ALTER TABLE organizations DROP COLUMN stop_scope, DROP COLUMN away_days, DROP COLUMN opt_out_line;
        ALTER TABLE candidates DROP COLUMN away_until, DROP COLUMN away_since, DROP COLUMN away_message_id,
            DROP COLUMN unclear_until;
        DROP TABLE incoming_messages;
        DROP INDEX ix_deliveries_conversation;
        DROP INDEX ix_deliveries_message_id;
        DROP INDEX ix_deliveries_left;
        DROP TABLE mailbox_reads;
    """)
