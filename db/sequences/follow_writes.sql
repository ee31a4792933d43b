-- name: pass_by
UPDATE enrollments e SET passed = array_append(passed, CAST(:step AS uuid)) WHERE e.sequence_id = :id
  AND e.status IN ('active', 'paused', 'finished') AND NOT :step = ANY(e.passed)
  AND NOT EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id AND v.step_id = :step)
  AND EXISTS (SELECT FROM deliveries d JOIN steps y ON y.id = d.step_id WHERE d.enrollment_id = e.id
    AND y.retired_at IS NULL AND y.position > :position AND NOT ({movable}))

-- name: note_known_words
UPDATE enrollments e SET passed = array_append(passed, CAST(:step AS uuid)) WHERE e.sequence_id = :id
  AND e.status IN ('active', 'paused', 'finished') AND NOT :step = ANY(e.passed)
  AND EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id AND v.step_id = :other
    AND v.state IN ('sending', 'sent', 'in_doubt', 'review')
    AND v.authority->>'step_version' = :version)
  AND NOT EXISTS (SELECT FROM deliveries d WHERE d.enrollment_id = e.id AND d.step_id = :step
    AND NOT ({movable}))

-- name: insert
INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)
SELECT r.id, r.organization_id, r.enrollment_id, :sequence_id, r.step_id, r.mailbox_id, r.due_at, r.held, r.reason
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, organization_id uuid, enrollment_id uuid, step_id uuid,
    mailbox_id uuid, due_at timestamptz, held boolean, reason text) ON CONFLICT DO NOTHING

-- name: wake
UPDATE lanes SET next_due_at = (SELECT min(d.due_at) FROM deliveries d WHERE d.mailbox_id = lanes.mailbox_id
    AND d.state = 'pending' AND NOT d.held)
WHERE mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = :id
  UNION SELECT mailbox_id FROM deliveries WHERE sequence_id = :id AND state = 'pending')

-- name: let_go
UPDATE deliveries d SET held = s.status <> 'active', reason = CASE WHEN s.status <> 'active' THEN 'sequence_not_active' END
FROM sequences s WHERE s.id = d.sequence_id AND d.step_id = ANY(:ids) AND d.state = 'pending' AND d.held AND d.reason = :reason
