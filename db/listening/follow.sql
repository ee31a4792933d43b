-- What follows from an incoming email.

-- name: about
SELECT e.id AS enrollment_id, e.status, e.sequence_id, s.name AS sequence, coalesce(s.stop_scope, o.stop_scope) AS stop_scope,
  o.time_zone, o.away_days, c.id AS candidate_id, coalesce(d.sent_to, c.email) AS email, d.sent_to IS NOT NULL AS corrected, b.address AS mailbox, b.provider, h.name AS mailbox_owner, clock_timestamp() AS now,
  coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN organizations o ON o.id = e.organization_id
JOIN candidates c ON c.id = e.candidate_id JOIN mailboxes b ON b.id = :mailbox_id LEFT JOIN members h ON h.id = b.owner_id
LEFT JOIN incoming_messages m ON m.id = :message_id LEFT JOIN deliveries d ON d.id = m.delivery_id
WHERE e.id = :enrollment_id

-- name: lanes
SELECT s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id WHERE e.candidate_id = ANY(:ids)
UNION SELECT d.mailbox_id FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id WHERE e.candidate_id = ANY(:ids)

-- name: away
UPDATE candidates SET away_until = greatest(away_until, :until), away_message_id = :message_id,
  away_since = CASE WHEN away_until > clock_timestamp() THEN away_since ELSE clock_timestamp() END
WHERE id = :id

-- name: unclear
UPDATE candidates SET unclear_until = greatest(unclear_until, :until) WHERE id = :id

-- name: heard_before
SELECT EXISTS (SELECT FROM incoming_messages WHERE candidate_id = :candidate_id AND enrollment_id = :enrollment_id
  AND kind = :kind AND id <> :id)

-- name: soft_before
SELECT count(*) FROM incoming_messages WHERE enrollment_id = :enrollment_id AND bounce_class = 'soft' AND id <> :id
  AND overruled_at IS NULL

-- name: put_off
UPDATE deliveries SET due_at = greatest(due_at, :until) WHERE enrollment_id = :id AND state = 'pending'
