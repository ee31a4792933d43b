-- name: retry
WITH again AS (
  UPDATE deliveries d SET {again}, outcome = NULL, due_at = clock_timestamp(), failures = 0, first_failed_at = NULL,
    send_started_at = NULL, releases = attempts, held = s.status <> 'active',
    reason = CASE WHEN s.status <> 'active' THEN 'sequence_not_active' END
  FROM sequences s, enrollments e, candidates c
  WHERE d.id = :id AND {failed} AND s.id = d.sequence_id AND s.status <> 'archived' AND e.id = d.enrollment_id
    AND e.status = 'stopped' AND e.reason = d.reason AND c.id = e.candidate_id
    AND suppressed(c.organization_id, c.email) IS NULL
  RETURNING d.organization_id, d.enrollment_id, d.mailbox_id, d.due_at, d.held),
on_the_way AS (
  UPDATE enrollments SET status = 'active', reason = NULL FROM again WHERE enrollments.id = again.enrollment_id),
woken AS (
  UPDATE lanes SET next_due_at = least(coalesce(next_due_at, again.due_at), again.due_at) FROM again
  WHERE lanes.mailbox_id = again.mailbox_id AND NOT again.held)
SELECT organization_id FROM again
