-- name: templates
SELECT s.organization_id, s.id AS sequence_id, s.mailbox_id, b.address, t.id AS step_id, t.version,
  coalesce(t.subject, '') || ' ' || t.body AS template
FROM steps t JOIN sequences s ON s.id = t.sequence_id JOIN mailboxes b ON b.id = s.mailbox_id
WHERE s.status = 'active' AND t.retired_at IS NULL AND (t.body LIKE '%{{%' OR t.subject LIKE '%{{%')
ORDER BY t.id

-- name: found
SELECT d.id FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
WHERE d.sequence_id = :sequence_id AND d.step_id = :step_id AND d.state = 'pending' AND NOT d.held
  AND e.status = 'active' AND d.due_at < clock_timestamp() + CAST(:ahead AS interval)
  AND btrim(coalesce({value}, '')) = '' LIMIT :at_once

-- name: hold
UPDATE deliveries SET held = true, reason = :reason WHERE id = ANY(:ids) AND state = 'pending' AND NOT held
RETURNING enrollment_id

-- name: pause
UPDATE enrollments SET status = 'paused', reason = :reason, paused_at = clock_timestamp()
WHERE id = ANY(:ids) AND status = 'active'
