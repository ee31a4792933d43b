-- name: pause
UPDATE sequences SET status = 'paused', paused_cause = :cause, paused_reason = :reason,
  paused_at = clock_timestamp() WHERE id = :id AND status = 'active' RETURNING id

-- name: archive
UPDATE sequences SET status = 'archived', paused_cause = NULL, paused_reason = NULL, paused_at = NULL
WHERE id = :id AND status <> 'archived' RETURNING id

-- name: end_enrollment
UPDATE enrollments SET status = :status, reason = :reason,
  paused_at = CASE WHEN :status = 'paused' THEN clock_timestamp() END WHERE id = :id

-- name: open_of
SELECT e.id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
WHERE e.candidate_id = :id AND e.status IN ('active', 'paused') AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
ORDER BY e.id FOR UPDATE OF e

-- name: sequences_of
SELECT DISTINCT s.id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
WHERE e.candidate_id = :id AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))

-- name: suppress
INSERT INTO suppressions (id, organization_id, value, reason, source, candidate_id, created_by)
VALUES (:id, :organization_id, :address, :reason, :source, :candidate_id, :actor)
-- A no outweighs that the address does not exist: it holds for the person, whatever address they have later.
ON CONFLICT (organization_id, kind, value) WHERE lifted_at IS NULL DO UPDATE SET reason = excluded.reason, source = excluded.source,
  created_by = excluded.created_by WHERE suppressions.reason = 'bounced' AND excluded.reason NOT IN ('bounced', 'erased')

-- name: stop
UPDATE enrollments SET status = 'stopped', reason = :reason, paused_at = NULL
WHERE candidate_id = :id AND (CAST(:only AS uuid) IS NULL
    OR sequence_id = (SELECT sequence_id FROM enrollments WHERE id = CAST(:only AS uuid))) AND status IN ('active', 'paused')
  -- An answer ends what goes by itself. What somebody wrote by hand and has not left yet still leaves.
  AND (:reason NOT IN ('answered', 'sender_wrote') OR sequence_id NOT IN (SELECT id FROM sequences
    WHERE organization_id = enrollments.organization_id AND kind = 'by_hand'))
RETURNING id

-- name: hold_person
WITH held AS (
  UPDATE enrollments SET status = 'paused', reason = :reason, paused_at = clock_timestamp()
  WHERE candidate_id = :id AND status = 'active' RETURNING id)
UPDATE deliveries SET held = true, reason = 'enrollment_paused'
WHERE enrollment_id IN (SELECT id FROM held) AND state = 'pending'

-- name: cancel
-- Cancels only deliveries that wait. The gate refuses those that a worker holds, for the same reason.
UPDATE deliveries SET {closed}, outcome = 'cancelled', reason = :reason, held = false
WHERE {column} = :value AND {waiting}
