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
