-- name: in_scope
-- A scope's deliveries ``d``.
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
JOIN mailboxes b ON b.id = d.mailbox_id {joins}
WHERE d.organization_id = :organization_id
  AND (:any_mailbox OR d.mailbox_id = ANY(CAST(:mailbox_ids AS uuid[])))
  AND (CAST(:sequence_owner AS uuid) IS NULL OR s.owner_id = :sequence_owner)
  AND (CAST(:sequence_id AS uuid) IS NULL OR d.sequence_id = :sequence_id)
  AND (CAST(:enrollment_id AS uuid) IS NULL OR d.enrollment_id = :enrollment_id)
  AND (CAST(:candidate_ids AS uuid[]) IS NULL OR e.candidate_id = ANY(CAST(:candidate_ids AS uuid[])))
  AND (CAST(:only_sequences AS uuid[]) IS NULL OR d.sequence_id = ANY(CAST(:only_sequences AS uuid[])))
  AND (NOT :only_unauthorized OR (s.owner_id <> b.owner_id AND NOT {authorized}))

-- name: stopped
-- What will not leave. Used for withdrawals and for previews of them.
(d.state IN ('pending', 'queued', 'preparing', 'drafted')
  OR (d.state = 'closed' AND d.outcome = 'cancelled' AND d.reason = :cancels))

-- name: columns
d.id AS delivery_id, d.mailbox_id, d.state, d.draft_id, b.provider, d.correlation_id

-- name: in_flight
SELECT {columns} {in_scope}
  AND d.state IN ('sending', 'in_doubt') AND d.send_started_at <= :closed_at ORDER BY d.id

-- name: one
SELECT {columns} FROM deliveries d
JOIN mailboxes b ON b.id = d.mailbox_id WHERE d.id = :id AND d.organization_id = :organization_id
  AND d.draft_id IS NOT NULL

-- name: asked_about_lately
SELECT d.id {in_scope} AND d.state = 'review' AND d.send_started_at > :closed_at - :grace

-- name: drafts_left
SELECT {columns} {in_scope}
  AND d.state IN ('pending', 'queued', 'preparing', 'drafted') AND d.draft_id IS NOT NULL
ORDER BY d.id LIMIT :limit

-- name: mark_recalled
UPDATE deliveries SET recalled_draft = draft_id,
  grace_until = CASE WHEN state = 'in_doubt' THEN greatest(grace_until, clock_timestamp() + interval '1 minute')
    ELSE grace_until END
WHERE id = :id AND draft_id = :draft_id AND state NOT IN ('sent', 'closed', 'review') RETURNING id

-- name: count
SELECT count(*) FILTER (WHERE {stopped}) AS stopped,
  count(*) FILTER (WHERE d.state = 'sent') AS already_sent,
  max(d.sent_at) AS last_left_at {in_scope}
