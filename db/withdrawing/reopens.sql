-- name: stopped
-- Somebody who was stopped by hand, with what was planned then; and what speaks against going on.
SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person,
  suppressed(e.organization_id, c.email) IS NOT NULL AS suppressed,
  EXISTS (SELECT FROM incoming_messages m WHERE m.enrollment_id = e.id AND ({ends})) AS answered,
  (SELECT q.name FROM enrollments o JOIN sequences q ON q.id = o.sequence_id WHERE o.candidate_id = e.candidate_id AND o.id <> e.id
    AND o.status IN ('active', 'paused') AND q.kind = 'sequence' AND q.status <> 'archived' LIMIT 1) AS elsewhere,
  (SELECT d.id FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'closed' AND d.outcome = 'cancelled'
    AND d.reason = 'enrollment_stopped' AND d.send_started_at IS NULL
    AND NOT EXISTS (SELECT FROM deliveries n WHERE n.enrollment_id = e.id AND n.created_at > d.created_at)) AS delivery_id
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id
WHERE e.id = :id AND e.status = 'stopped'

-- name: reopen
WITH again AS (
  UPDATE deliveries d SET {pending}, outcome = NULL, held = true, reason = 'enrollment_paused', failures = 0,
    first_failed_at = NULL, releases = attempts WHERE d.id = :delivery_id AND {closed} RETURNING enrollment_id)
UPDATE enrollments SET status = 'paused', reason = 'stopped_by_hand', paused_at = clock_timestamp()
WHERE id IN (SELECT enrollment_id FROM again) AND status = 'stopped'
