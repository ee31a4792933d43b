-- name: block_person
UPDATE enrollments SET status = 'paused', reason = :reason, paused_at = clock_timestamp()
WHERE id = :id AND status = 'active'

-- name: review
SELECT d.organization_id, d.sequence_id, d.mailbox_id, b.address, d.attempts, d.reason, b.connection_version,
  date_trunc('hour', clock_timestamp()) AS hour,
  trim(c.first_name || ' ' || c.last_name) AS person
FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id WHERE d.id = :id

-- name: out_of_reach
SELECT d.id FROM deliveries d WHERE d.mailbox_id = :id AND d.state = 'in_doubt' AND NOT EXISTS
  (SELECT FROM credentials c WHERE c.mailbox_id = d.mailbox_id AND c.renewable)
  -- For a tenant-wide connection nothing is stored.
  AND NOT EXISTS (SELECT FROM mailboxes b WHERE b.id = d.mailbox_id AND b.provider = 'microsoft_tenant'
    AND (b.status = 'connected' OR b.status_reason NOT IN ('removed', 'disabled'))) ORDER BY d.id

-- name: oldest_in_drafts
SELECT d.id, d.organization_id, b.address FROM deliveries d JOIN mailboxes b ON b.id = d.mailbox_id
WHERE d.mailbox_id = :id AND d.still_draft_at IS NOT NULL ORDER BY d.sent_at, d.id LIMIT 1
