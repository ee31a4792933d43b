-- name: pause
UPDATE sequences SET status = 'paused', paused_cause = :cause, paused_reason = :reason,
  paused_at = clock_timestamp() WHERE id = :id AND status = 'active' RETURNING id

-- name: archive
UPDATE sequences SET status = 'archived', paused_cause = NULL, paused_reason = NULL, paused_at = NULL
WHERE id = :id AND status <> 'archived' RETURNING id

-- name: end_enrollment
UPDATE enrollments SET status = :status, reason = :reason,
  paused_at = CASE WHEN :status = 'paused' THEN clock_timestamp() END WHERE id = :id

-- name: suppress
INSERT INTO suppressions (organization_id, email, reason) VALUES (:organization_id, :email, :reason)
ON CONFLICT DO NOTHING RETURNING email

-- name: stop
UPDATE enrollments SET status = 'stopped', reason = :reason, paused_at = NULL
WHERE candidate_id = :id AND status IN ('active', 'paused') RETURNING id

-- name: cancel
-- Cancels only deliveries that wait. The gate refuses those that a worker holds, for the same reason.
UPDATE deliveries SET {closed}, outcome = 'cancelled', reason = :reason, held = false
WHERE {column} = :value AND {waiting}
