-- name: next_step
-- The next step for an enrollment ``e`` of a sequence ``s``, whatever was edited since their last email: the first step ``x``
-- that they have not had and that was not added behind them.
SELECT x.id, x.whole_delay AS delay, x.position FROM steps x WHERE x.sequence_id = s.id AND x.retired_at IS NULL
  AND NOT x.id = ANY(e.passed) AND {besides} AND NOT EXISTS (SELECT FROM deliveries v WHERE v.enrollment_id = e.id
    AND v.step_id = x.id AND {had}) ORDER BY x.position LIMIT 1

-- name: after
-- The step after ``:after_step``, as part of the statement that settles that one. Without a next step, an enrollment that is
-- active or paused finishes.
here AS MATERIALIZED (
  SELECT e.id, e.organization_id, e.status, e.sequence_id, s.mailbox_id,
    s.status AS sequence_status, s.sending, o.sending AS organization_sending, o.time_zone, b.settings->'window' AS mailbox_sending,
    t.id AS step_id, t.delay FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
    JOIN organizations o ON o.id = e.organization_id JOIN mailboxes b ON b.id = s.mailbox_id
    LEFT JOIN LATERAL ({next_step}) t ON true
  WHERE e.id = :enrollment_id FOR UPDATE OF e),
finished AS (
  UPDATE enrollments SET status = 'finished', reason = NULL, paused_at = NULL
  WHERE id = (SELECT id FROM here WHERE step_id IS NULL AND status IN ('active', 'paused')))

-- name: step_after
WITH {after} SELECT * FROM here

-- name: first_step
SELECT s.organization_id, s.mailbox_id, s.status, s.sending, o.sending AS organization_sending, o.time_zone,
  b.settings->'window' AS mailbox_sending, t.id AS step_id, t.whole_delay AS delay
FROM sequences s JOIN organizations o ON o.id = s.organization_id JOIN mailboxes b ON b.id = s.mailbox_id
JOIN steps t ON t.sequence_id = s.id AND t.retired_at IS NULL
WHERE s.id = :id ORDER BY t.position LIMIT 1

-- name: enroll
INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id)
SELECT r.id, :organization_id, :sequence_id, r.candidate_id
FROM unnest(CAST(:ids AS uuid[]), CAST(:candidate_ids AS uuid[])) AS r(id, candidate_id)
ON CONFLICT DO NOTHING RETURNING id

-- name: insert_first
INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)
SELECT r.id, :organization_id, r.enrollment_id, :sequence_id, :step_id, :mailbox_id, :due_at, :held, :reason
FROM unnest(CAST(:ids AS uuid[]), CAST(:enrollment_ids AS uuid[])) AS r(id, enrollment_id)

-- name: insert_next
WITH added AS (
  INSERT INTO deliveries (id, organization_id, enrollment_id, sequence_id, step_id, mailbox_id, due_at, held, reason)
  VALUES (:id, :organization_id, :enrollment_id, :sequence_id, :step_id, :mailbox_id, :due_at, :held, :reason)
  ON CONFLICT DO NOTHING)
{wake_lane} AND NOT :held

-- name: wake_lane
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, :due_at), :due_at) WHERE mailbox_id = :mailbox_id
