-- name: to_get
SELECT count(*) FROM enrollments e WHERE e.sequence_id = (SELECT sequence_id FROM steps WHERE id = :id)
  AND e.status IN ('active', 'paused') AND NOT :id = ANY(e.passed)
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = :id AND NOT ({movable}))

-- name: have_had
SELECT count(*) FROM enrollments e WHERE e.sequence_id = (SELECT sequence_id FROM steps WHERE id = :id)
  AND EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = :id
    AND d.state IN ('sending', 'sent', 'in_doubt', 'review'))

-- name: through
SELECT count(*) FROM enrollments e WHERE e.sequence_id = (SELECT sequence_id FROM steps WHERE id = :id)
  AND e.status = 'finished' AND NOT :id = ANY(e.passed)
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = :id)
