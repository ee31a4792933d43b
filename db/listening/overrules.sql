-- What a person decides about an incoming message.

-- name: message
SELECT m.id, m.kind, m.bounce_class, m.opt_out_words, m.candidate_id, m.enrollment_id, m.delivery_id, m.recorded_at, m.handled_at,
  m.overruled_at, coalesce(d.sent_to, c.email) AS email
FROM incoming_messages m JOIN candidates c ON c.id = m.candidate_id LEFT JOIN deliveries d ON d.id = m.delivery_id
WHERE m.id = :id AND m.organization_id = :organization_id

-- name: overrule
UPDATE incoming_messages SET overruled_at = clock_timestamp(), overruled_by = :actor, overrule_reason = :reason,
  handled_at = coalesce(handled_at, clock_timestamp()), handled_by = coalesce(handled_by, :actor)
WHERE id = :id AND overruled_at IS NULL

-- name: handle
UPDATE incoming_messages SET handled_at = clock_timestamp(), handled_by = :actor WHERE id = :id AND handled_at IS NULL

-- name: not_away
UPDATE candidates SET away_until = NULL, away_since = NULL, away_message_id = NULL WHERE id = :id AND away_message_id = :message_id

-- name: not_unclear
UPDATE candidates SET unclear_until = NULL WHERE id = :id AND NOT EXISTS (SELECT FROM incoming_messages m
  WHERE m.candidate_id = :id AND m.kind = 'unclear' AND m.overruled_at IS NULL AND m.handled_at IS NULL)

-- name: go_on
WITH going AS (
  UPDATE deliveries d SET due_at = clock_timestamp(), reason = NULL FROM enrollments e
  WHERE e.id = d.enrollment_id AND e.candidate_id = :id AND d.state = 'pending' AND NOT d.held AND d.reason = :reason
  RETURNING d.mailbox_id, d.due_at)
UPDATE lanes SET next_due_at = least(coalesce(next_due_at, going.due_at), going.due_at) FROM going
WHERE lanes.mailbox_id = going.mailbox_id

-- name: reopened
-- Those that the message ended, back among the paused, from the moment it ended them: with what they had coming. Another message
-- that ends them keeps them ended, wherever it came in.
WITH ended AS (
  UPDATE enrollments e SET status = 'paused', reason = 'overruled', paused_at = :since
  WHERE e.candidate_id = :candidate_id AND e.status = 'stopped' AND e.reason = :reason
    AND NOT EXISTS (SELECT FROM (SELECT * FROM incoming_messages WHERE {ends}) m JOIN enrollments x ON x.id = m.enrollment_id
      JOIN sequences q ON q.id = x.sequence_id JOIN organizations o ON o.id = x.organization_id
      WHERE m.candidate_id = e.candidate_id AND NOT {corrected} AND (x.id = e.id OR m.kind IN ('opt_out', 'bounce')
        OR coalesce(q.stop_scope, o.stop_scope) = 'organization')) RETURNING e.id),
again AS (
  UPDATE deliveries d SET {pending}, outcome = NULL, held = true, reason = 'enrollment_paused', failures = 0,
    first_failed_at = NULL, releases = attempts
  FROM ended WHERE d.enrollment_id = ended.id AND {closed} AND d.outcome IN ('cancelled', 'skipped') AND d.send_started_at IS NULL
    AND NOT EXISTS (SELECT FROM deliveries n WHERE n.enrollment_id = d.enrollment_id AND n.created_at > d.created_at))
SELECT e.id, e.sequence_id, s.status AS sequence_status FROM ended JOIN enrollments e ON e.id = ended.id
JOIN sequences s ON s.id = e.sequence_id ORDER BY e.id

-- name: held
SELECT e.id, e.sequence_id, s.status AS sequence_status FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
WHERE e.candidate_id = :candidate_id AND e.status = 'paused' AND e.reason = :reason
  AND NOT EXISTS (SELECT FROM incoming_messages m WHERE m.candidate_id = :candidate_id AND {proposes}) ORDER BY e.id
