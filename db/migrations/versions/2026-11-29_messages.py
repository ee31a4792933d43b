"""Emails written by hand, and people who are erased."""

from alembic import op

revision = "2026_11_29_messages"
down_revision = "2026_11_29_received_mail"
branch_labels = None
depends_on = None

# Takes one person out of the events of an organization, and what the inbox keeps of their mail. For workers, and for pages that act for
# this organization.
_FORGET = """
CREATE FUNCTION forget_person(organization uuid, candidate uuid, asked text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    mine uuid := nullif(current_setting('onbehalf.organization', true), '')::uuid;
    forgotten bigint;
BEGIN
    IF mine <> organization OR (mine IS NULL AND NOT pg_has_role(session_user, 'onbehalf_worker', 'MEMBER')) THEN
        RAISE insufficient_privilege USING MESSAGE = 'permission denied: another organization''s person';
    END IF;
    DELETE FROM public.received_mail WHERE organization_id = organization AND sender = asked AND processed_at IS NOT NULL;
    UPDATE public.events SET payload = payload || (SELECT jsonb_object_agg(name, CASE name WHEN 'person' THEN 'an erased person'
            ELSE 'erased' END) FROM jsonb_object_keys(payload) AS k(name)
            WHERE name IN ('person', 'address', 'from_address', 'words', 'reason') AND payload->>name IS NOT NULL)
        WHERE organization_id = organization AND payload->>'candidate_id' = candidate::text AND payload->>'person' IS NOT NULL;
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    RETURN forgotten;
END $$;
REVOKE EXECUTE ON FUNCTION forget_person FROM PUBLIC;
"""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE sequences ADD COLUMN kind text NOT NULL DEFAULT 'sequence',
            ADD COLUMN answers_delivery_id uuid,
            ADD COLUMN answers_message_id uuid,
            ADD CONSTRAINT ck_sequences_kind CHECK (kind IN ('sequence', 'by_hand')),
            ADD CONSTRAINT ck_sequences_answers
                CHECK (num_nonnulls(answers_delivery_id, answers_message_id) <= CASE kind WHEN 'by_hand' THEN 1 ELSE 0 END);
        ALTER TABLE candidates ADD COLUMN erased_at timestamptz;
    """)
    op.execute(_FORGET)


def downgrade() -> None:
    # An email written by hand would look like a sequence: its rows stay, and it is archived with what waits.
    op.execute("""
        UPDATE deliveries SET state = 'closed', outcome = 'cancelled', reason = 'sequence_archived', held = false
            WHERE state = 'pending' AND sequence_id IN (SELECT id FROM sequences WHERE kind = 'by_hand');
        UPDATE sequences SET status = 'archived', paused_cause = NULL, paused_reason = NULL, paused_at = NULL
            WHERE kind = 'by_hand';
        ALTER TABLE sequences DROP COLUMN kind, DROP COLUMN answers_delivery_id, DROP COLUMN answers_message_id;
        ALTER TABLE candidates DROP COLUMN erased_at;
        DROP FUNCTION forget_person;
    """)
