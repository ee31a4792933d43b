-- name: take_slot
UPDATE lanes SET slot_token = :token, slot_until = clock_timestamp() + :lease WHERE mailbox_id = :id
  AND (slot_until IS NULL OR slot_until < clock_timestamp()) RETURNING mailbox_id

-- name: claim
SELECT d.*, b.provider, clock_timestamp() AS now, d.grace_until <= clock_timestamp() AS over,
  clock_timestamp() - coalesce(d.send_started_at, clock_timestamp()) AS waited,
  (SELECT s.handed_over IS NOT NULL AND s.mailbox_id <> d.mailbox_id FROM sequences s WHERE s.id = d.sequence_id) AS moved
FROM deliveries d
JOIN mailboxes b ON b.id = d.mailbox_id
WHERE d.id = :id AND d.state = 'in_doubt' AND d.dispatch_no = :dispatch_no FOR UPDATE OF d

-- name: schedule
UPDATE deliveries SET reconcile_attempts = reconcile_attempts + :one, due_at = CASE WHEN grace_until > clock_timestamp()
  THEN least(clock_timestamp() + :wait, grace_until)
  ELSE clock_timestamp() + least(CAST(:wait AS interval), interval '1 second') END
WHERE id = :id AND state = 'in_doubt'
