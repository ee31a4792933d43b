-- name: lock_lanes
SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT mailbox_id FROM sequences WHERE id = ANY(:ids))
ORDER BY mailbox_id FOR UPDATE

-- name: sequences
SELECT s.*, b.settings, b.owner_id AS mailbox_owner_id,
  o.sending AS organization_sending, o.time_zone, l.daily_cap, l.zone,
  greatest(l.retry_after_until, CAST(hold_of(b.organization_id, b.id)->>'until' AS timestamptz)) AS retry_after_until, clock_timestamp() AS now,
  CASE WHEN l.sent_on = (clock_timestamp() AT TIME ZONE l.zone)::date THEN l.sent_today ELSE 0 END AS sent_today,
  {grants} AS grants
FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id
JOIN members w ON w.id = s.owner_id JOIN organizations o ON o.id = s.organization_id
JOIN lanes l ON l.mailbox_id = b.id WHERE s.id = ANY(:ids)

-- name: waiting
-- OFFSET 0: of each sequence by its index. Postgres would rather read everybody in all sequences.
SELECT n.* FROM unnest(CAST(:ids AS uuid[])) AS wanted(id) CROSS JOIN LATERAL (SELECT d.sequence_id, d.id, c.email, trim(c.first_name || ' ' || c.last_name) AS person, t.position,
  t.retired_at IS NOT NULL AS removed, d.due_at,
  coalesce(e.paused_at, s.paused_at, s.set_back_at, clock_timestamp()) AS paused_at,
  s.status = 'draft' AND coalesce(d.created_at >= s.set_back_at, true) AS never_ran, t.whole_delay AS delay,
  c.away_until, c.unclear_until, t.kind = 'approval' AND d.approval IS NULL AS to_approve
FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN steps t ON t.id = d.step_id JOIN sequences s ON s.id = d.sequence_id
WHERE d.sequence_id = wanted.id AND d.state = 'pending'
  -- A recent pause may not have reached the deliveries yet. It counts all the same.
  AND (d.held OR s.status IN ('paused', 'draft') OR e.status = 'paused')
  -- What waits for an approval, or for a task, goes on waiting for it.
  AND NOT (d.held AND d.reason IN ('waits_for_approval', 'waits_for_task') AND t.retired_at IS NULL)
  AND (CAST(:enrollment_id AS uuid) IS NULL AND e.status = 'active' OR e.id = :enrollment_id)
OFFSET 0) n ORDER BY n.due_at

-- name: neighbours
SELECT d.id AS delivery_id, d.sequence_id, d.due_at FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
JOIN enrollments e ON e.id = d.enrollment_id WHERE d.mailbox_id = :mailbox_id
  AND (d.state = 'pending' AND NOT d.held OR d.state IN ('queued', 'preparing', 'drafted'))
  AND s.status = 'active' AND e.status = 'active' ORDER BY d.due_at LIMIT :most

-- name: neighbouring_sequences
SELECT s.id, s.owner_id, s.sending, {grants} AS grants FROM sequences s
JOIN mailboxes b ON b.id = s.mailbox_id JOIN lanes l ON l.mailbox_id = b.id WHERE s.id = ANY(:ids)

-- name: same_cause
SELECT x.id FROM sequences s JOIN sequences x ON x.organization_id = s.organization_id
  AND x.paused_cause = s.paused_cause AND x.id <> s.id AND x.status = 'paused'
WHERE s.id = :id AND s.status = 'paused' AND (CAST(:owner_id AS uuid) IS NULL OR x.owner_id = :owner_id)
ORDER BY lower(x.name), x.id LIMIT 200

-- name: paused
SELECT id FROM sequences WHERE organization_id = :organization_id AND status = 'paused' AND kind = 'sequence'
  AND (CAST(:owner_id AS uuid) IS NULL OR owner_id = :owner_id)
ORDER BY lower(name), id LIMIT :most

-- name: resume_sequence
UPDATE sequences SET status = 'active', paused_cause = NULL, paused_reason = NULL, paused_at = NULL,
  set_back_at = NULL, set_back_by = NULL, resumed_at = clock_timestamp()
WHERE id = :id AND status IN ('paused', 'draft')

-- name: begin_tasks
-- For people enrolled in a draft, time starts when it is activated.
UPDATE deliveries d SET due_at = d.due_at + (clock_timestamp() - d.created_at) FROM sequences s
WHERE s.id = :id AND s.status = 'draft' AND d.sequence_id = s.id AND d.state = 'pending' AND d.reason = 'waits_for_task'
  AND coalesce(d.created_at >= s.set_back_at, true)

-- name: resume_enrollment
UPDATE enrollments SET status = 'active', reason = NULL, paused_at = NULL
WHERE id = :id AND status = 'paused'

-- name: wake_lane
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, :due_at), :due_at) WHERE mailbox_id = :id
