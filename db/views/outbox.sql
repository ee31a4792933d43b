-- The outbox: emails that are planned. Each list reads one page of an index and joins only that; counts end at :most.

-- name: wanted
-- Sequences of which a member sees emails: their own or, NULL, everybody's; further, of one sender or one sequence.
SELECT s.id FROM sequences s WHERE s.organization_id = :organization_id AND s.status <> 'archived'
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
  AND (CAST(:mailbox_id AS uuid) IS NULL OR s.mailbox_id = CAST(:mailbox_id AS uuid))
  AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = CAST(:sequence_id AS uuid))

-- name: place
(CAST(:after_at AS timestamptz) IS NULL OR d.due_at > CAST(:after_at AS timestamptz)
  OR (d.due_at = CAST(:after_at AS timestamptz) AND d.id > CAST(:after_id AS uuid)))
AND d.due_at >= coalesce(CAST(:after_at AS timestamptz), '-infinity')

-- name: after
{planned} AND d.held = :held AND {place}
AND (CAST(:reasons AS text[]) IS NULL OR d.reason = ANY(CAST(:reasons AS text[])) AND d.due_at > clock_timestamp())

-- name: planned
-- Emails: what is a task leaves never.
d.state = 'pending' AND d.reason IS DISTINCT FROM 'waits_for_task'

-- name: shown
-- Why an email waits until a time is over at that time, though the email may still wait for its mailbox's pace.
SELECT d.id, d.enrollment_id, e.candidate_id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person,
  d.sequence_id, s.name AS sequence, s.kind, s.owner_id, s.status AS sequence_status, s.paused_reason, t.position, coalesce(h.name, b.address) AS sender,
  d.due_at, d.not_before, d.held,
  CASE WHEN d.held OR d.due_at > clock_timestamp() THEN d.reason END AS reason, d.own_body IS NOT NULL AS own_text, d.approval IS NOT NULL AS approved,
  hold_of(d.organization_id, d.mailbox_id) AS hold, e.status AS enrollment_status, e.reason AS enrollment_reason,
  (SELECT max(x.position) FROM steps x WHERE x.sequence_id = s.id AND x.retired_at IS NULL) AS steps
FROM picked d JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id JOIN mailboxes b ON b.id = d.mailbox_id
LEFT JOIN members h ON h.id = b.owner_id ORDER BY d.due_at, d.id

-- name: whole
WITH picked AS MATERIALIZED (
  SELECT d.* FROM deliveries d WHERE d.organization_id = :organization_id AND {after}
  ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int))
{shown}

-- name: of_sequences
WITH picked AS MATERIALIZED (
  SELECT p.* FROM ({wanted}) w CROSS JOIN LATERAL (
    SELECT d.* FROM deliveries d WHERE d.sequence_id = w.id AND {after} ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int)) p
  ORDER BY p.due_at, p.id LIMIT CAST(:limit AS int))
{shown}

-- name: of_people
WITH picked AS MATERIALIZED (
  SELECT d.* FROM enrollments n JOIN deliveries d ON d.enrollment_id = n.id
  WHERE n.candidate_id = ANY(CAST(:people AS uuid[])) AND n.sequence_id IN ({wanted}) AND {after}
  ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int))
{shown}

-- name: among
d.sequence_id IN ({wanted}) AND (CAST(:people AS uuid[]) IS NULL OR e.candidate_id = ANY(CAST(:people AS uuid[])))

-- name: of_approval
WITH picked AS MATERIALIZED (
  SELECT d.* FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id
  WHERE d.organization_id = :organization_id AND {approval} AND {among} AND {place}
  ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int))
{shown}

-- name: of_task
WITH picked AS MATERIALIZED (
  SELECT d.* FROM deliveries d JOIN enrollments e ON e.id = d.enrollment_id
  JOIN candidates c ON c.id = e.candidate_id JOIN sequences s ON s.id = d.sequence_id
  WHERE d.organization_id = :organization_id AND {task} AND {among} AND {place}
  ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int))
{shown}

-- name: of_field
WITH picked AS MATERIALIZED (
  SELECT d.* FROM ({wanted}) w JOIN enrollments e ON e.sequence_id = w.id JOIN deliveries d ON d.enrollment_id = e.id
  WHERE {block} AND {planned} AND d.held AND {among} AND {place}
  ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int))
{shown}

-- name: count_whole
-- Of each span of time: :most at most. Without a beginning, everything before its end.
SELECT (SELECT count(*) FROM (SELECT FROM deliveries d WHERE d.organization_id = :organization_id AND {planned} AND d.held = :held
  AND d.due_at >= w.begins AND d.due_at < w.ends LIMIT CAST(:most AS int)) x) AS count
FROM unnest(CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[])) WITH ORDINALITY AS w(begins, ends, n) ORDER BY w.n

-- name: count_of_sequences
SELECT (SELECT count(*) FROM (SELECT FROM ({wanted}) o JOIN deliveries d ON d.sequence_id = o.id AND {planned} AND d.held = :held
  AND d.due_at >= w.begins AND d.due_at < w.ends LIMIT CAST(:most AS int)) x) AS count
FROM unnest(CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[])) WITH ORDINALITY AS w(begins, ends, n) ORDER BY w.n

-- name: senders
SELECT DISTINCT b.id, coalesce(h.name, b.address) AS name FROM sequences s JOIN mailboxes b ON b.id = s.mailbox_id
LEFT JOIN members h ON h.id = b.owner_id
WHERE s.organization_id = :organization_id AND s.status <> 'archived' AND s.kind = 'sequence'
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
ORDER BY 2, 1 LIMIT 200

-- name: sequences
SELECT s.id, s.name FROM sequences s WHERE s.organization_id = :organization_id AND s.status <> 'archived' AND s.kind = 'sequence'
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
ORDER BY lower(s.name), s.id LIMIT 200
