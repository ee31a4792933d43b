-- name: pause
INSERT INTO pauses (id, organization_id, sequence_id, event_id, cause_key, reason, people)
SELECT :id, s.organization_id, s.id, :event_id, :cause_key, :reason,
  (SELECT count(*) FROM deliveries d WHERE d.sequence_id = s.id
    AND d.state IN ('pending', 'queued', 'preparing', 'drafted'))
FROM sequences s WHERE s.id = :sequence_id AND s.status IN ('active', 'paused')
  AND coalesce(s.resumed_at < :occurred_at, true)
ON CONFLICT (sequence_id, cause_key) DO NOTHING RETURNING people

-- name: pause_sequence
UPDATE sequences SET status = 'paused', paused_cause = :cause_key, paused_reason = :reason,
  paused_at = clock_timestamp() WHERE id = :id AND status = 'active'
