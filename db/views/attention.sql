-- name: count
SELECT count(*) FROM (
  (SELECT d.id::text AS one FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
    WHERE d.organization_id = :organization_id AND {review} AND {mine} LIMIT :most)
  UNION (SELECT s.id || 'approval' FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
    WHERE d.organization_id = :organization_id AND {approval} AND {mine} LIMIT :examined)
  UNION (SELECT d.id::text FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
    JOIN candidates c ON c.id = e.candidate_id WHERE d.organization_id = :organization_id AND {task} AND {mine} LIMIT :most)
  UNION (SELECT s.id || e.reason FROM enrollments e JOIN sequences s ON s.id = e.sequence_id WHERE {block} AND {mine} LIMIT :examined)
  UNION (SELECT s.id || d.reason FROM deliveries d JOIN sequences s ON s.id = d.sequence_id WHERE {failed} AND {mine} LIMIT :examined)
  UNION (SELECT m.id || 'message' {unsure} LIMIT :most)
  UNION (SELECT r.id || 'permission' FROM grant_requests r JOIN mailboxes b ON b.id = r.mailbox_id
    JOIN members w ON w.id = r.requester_id WHERE b.owner_id = CAST(:owner_id AS uuid) AND r.status = 'open' AND w.active LIMIT :most)
  UNION (SELECT r.id || 'hand-over' FROM handover_requests r JOIN sequences s ON s.id = r.sequence_id
    WHERE r.to_owner_id = CAST(:owner_id AS uuid) AND r.status = 'open' AND s.status <> 'archived' LIMIT :most)
  ) waiting

-- name: unsure
-- Messages that hold a person until somebody says what they are.
FROM incoming_messages m JOIN candidates c ON c.id = m.candidate_id JOIN enrollments e ON e.id = m.enrollment_id
JOIN sequences s ON s.id = e.sequence_id
WHERE m.organization_id = :organization_id AND m.status = 'matched' AND m.handled_at IS NULL AND m.overruled_at IS NULL
  AND (m.kind IN ('answer', 'unclear') OR (m.kind = 'opt_out' AND m.opt_out_words IS NOT NULL)) AND {mine}
  AND (m.kind = 'opt_out' OR (m.kind = 'unclear' AND c.unclear_until > clock_timestamp()))

-- name: messages
SELECT m.id, m.kind, coalesce(m.opt_out_words, '') AS words, m.subject, m.why, m.received_at, m.candidate_id, {person} AS person,
  s.id AS sequence_id, s.name AS sequence, CASE WHEN m.kind = 'unclear' THEN c.unclear_until END AS until
{unsure} ORDER BY m.received_at, m.id LIMIT :shown

-- name: in_review
SELECT d.id AS delivery_id, {person} AS person, c.email, s.id AS sequence_id, s.name AS sequence, t.position AS step,
  b.address AS sender, b.provider, h.name AS sender_owner, d.send_started_at AS since, d.authority IS NOT NULL AS settleable
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id LEFT JOIN members h ON h.id = b.owner_id
WHERE d.organization_id = :organization_id AND {review} AND {mine}
ORDER BY d.send_started_at NULLS FIRST, d.id LIMIT :shown

-- name: approvals
SELECT sequence_id, sequence, status, count(*) AS emails, min(due_at) AS since FROM (
  SELECT s.id AS sequence_id, s.name AS sequence, s.status, d.due_at FROM deliveries d JOIN sequences s ON s.id = d.sequence_id
  WHERE d.organization_id = :organization_id AND {approval} AND {mine} LIMIT :examined) waiting
GROUP BY sequence_id, sequence, status ORDER BY since, sequence_id LIMIT CAST(:shown AS int)

-- name: blocked
SELECT * FROM (SELECT e.reason AS cause, e.id, {listed}
  FROM enrollments e JOIN sequences s ON s.id = e.sequence_id JOIN candidates c ON c.id = e.candidate_id
  WHERE {block} AND {mine} WINDOW same AS (PARTITION BY s.id, e.reason)) listed
WHERE place <= :shown ORDER BY lower(sequence), sequence_id, cause, place LIMIT :most

-- name: failed
SELECT * FROM (SELECT d.reason AS cause, d.id, {listed}
  FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id JOIN sequences s ON s.id = e.sequence_id
  JOIN candidates c ON c.id = e.candidate_id
  WHERE {failed} AND {mine} WINDOW same AS (PARTITION BY s.id, d.reason)) listed
WHERE place <= :shown ORDER BY lower(sequence), sequence_id, cause, place LIMIT :most

-- name: listed
s.id AS sequence_id, s.name AS sequence, s.status, {person} AS name, c.email,
  c.fields || jsonb_build_object('first_name', c.first_name, 'last_name', c.last_name, 'company', c.company,
    'title', c.title, 'location', c.location) AS values,
  count(*) OVER same AS people, row_number() OVER (same ORDER BY lower(c.last_name), c.email) AS place

-- name: person
coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email)

-- name: mine
s.organization_id = :organization_id AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id)
  AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = :sequence_id) AND s.status <> 'archived'
