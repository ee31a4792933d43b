-- name: add
INSERT INTO grants (id, organization_id, mailbox_id, mailbox_owner_id, grantee_id, expires_at, sequence_ids, daily_limit,
    given_by_kind, given_by, first_email)
VALUES (:id, :organization_id, :mailbox_id, :mailbox_owner_id, :grantee_id, :expires_at, :sequence_ids, :daily_limit,
    :by, :actor, CASE WHEN :reads_first THEN jsonb_build_object('since', clock_timestamp()) END)

-- name: ended_for
SELECT grantee_id, archived_at AS ended_at, archived_reason AS reason FROM grants WHERE mailbox_id = :mailbox_id AND archived_at IS NOT NULL
  AND (grantee_id IS NOT DISTINCT FROM CAST(:grantee_id AS uuid)
    OR (archived_reason <> 'member_deactivated' AND (grantee_id IS NULL OR CAST(:grantee_id AS uuid) IS NULL)))
ORDER BY archived_at DESC LIMIT 1
