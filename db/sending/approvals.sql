-- name: take_back
-- What has come due already waits at once; anything else is held when it is due, as if nobody had approved it.
UPDATE deliveries d SET approval = NULL, held = d.held OR due.now, reason = CASE WHEN due.now AND NOT d.held THEN :waits ELSE d.reason END
FROM (SELECT state = 'pending' AND due_at <= clock_timestamp() AS now FROM deliveries WHERE id = :id) due
WHERE d.id = :id AND d.state || '' = ANY(:states)

-- name: approve
-- What waited for the approval alone waits for its time from now on or, while its sequence does not run, with its sequence.
WITH approved AS (
  UPDATE deliveries d SET approval = CAST(:approval AS jsonb),
    held = d.held AND (d.reason IS DISTINCT FROM :waits OR s.status <> 'active'),
    reason = CASE WHEN d.reason IS DISTINCT FROM :waits THEN d.reason WHEN s.status <> 'active' THEN 'sequence_not_active' END
  FROM sequences s WHERE d.id = :id AND s.id = d.sequence_id AND d.state || '' = ANY(:states)
  RETURNING d.mailbox_id, d.due_at, d.held)
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, approved.due_at), approved.due_at)
FROM approved WHERE lanes.mailbox_id = approved.mailbox_id AND NOT approved.held
