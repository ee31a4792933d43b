-- name: waiting
-- For each person whose waiting email can be replanned: the step they wait for, and the step they should wait for. Waiting for an
-- approval or a task is about that step alone: another one waits for its time, or for its sequence.
SELECT d.id, d.enrollment_id, d.mailbox_id, d.organization_id, d.step_id, d.due_at,
  d.held AND (e.status <> 'active' OR s.status <> 'active' OR coalesce(d.reason NOT IN {alone}, true)) AS held,
  CASE WHEN d.reason IN {alone} THEN 'sequence_not_active' ELSE d.reason END AS reason,
  w.retired_at IS NOT NULL AS removed, w.id = ANY(e.passed) AS had, n.id AS next_id, coalesce(n.delay, '') AS next_delay,
  coalesce((SELECT max({over}) FROM deliveries v WHERE v.enrollment_id = e.id),
    CASE WHEN EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id AND v.id <> d.id)
      THEN d.created_at ELSE e.created_at END) AS since
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN sequences s ON s.id = d.sequence_id
JOIN steps w ON w.id = d.step_id LEFT JOIN LATERAL ({next_step}) n ON true
WHERE d.sequence_id = :id AND {movable} AND e.status IN ('active', 'paused')
ORDER BY d.id FOR UPDATE OF d

-- name: alone
('waits_for_approval', 'waits_for_task')

-- name: over
-- When a step was over for its person: its email left, or its task was done or skipped.
coalesce(v.sent_at, CAST(v.task->>'at' AS timestamptz))

-- name: finished
SELECT e.id AS enrollment_id, e.organization_id, n.id AS next_id, n.delay AS next_delay, last.at AS since
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN candidates c ON c.id = e.candidate_id
JOIN LATERAL (SELECT max({over}) AS at FROM deliveries v WHERE v.enrollment_id = e.id) last ON last.at IS NOT NULL
JOIN LATERAL ({next_step}) n ON true
WHERE e.sequence_id = :id AND e.status = 'finished' AND suppressed(e.organization_id, c.email) IS NULL ORDER BY e.id FOR UPDATE OF e
