-- Tasks: what each asks for, and whose it is. Reads only.

-- name: shown
SELECT d.id, d.enrollment_id, e.candidate_id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person,
  s.id AS sequence_id, s.name AS sequence, s.owner_id, w.name AS owner, t.position, d.due_at, d.outcome, d.task AS settled, t.body,
  c.email, c.first_name, c.last_name, c.company, c.title, c.location, c.fields, s.fields AS extra_fields,
  coalesce(h.name, w.name) AS sender_name, b.address AS sender
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
JOIN mailboxes b ON b.id = s.mailbox_id LEFT JOIN members h ON h.id = b.owner_id JOIN members w ON w.id = s.owner_id

-- name: open
{shown} WHERE {mine} AND {due} AND (CAST(:after_at AS timestamptz) IS NULL OR d.due_at > CAST(:after_at AS timestamptz)
  OR (d.due_at = CAST(:after_at AS timestamptz) AND d.id > CAST(:after_id AS uuid)))
ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int)

-- name: count
SELECT count(*) FROM (SELECT FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN enrollments e ON e.id = d.enrollment_id
  JOIN candidates c ON c.id = e.candidate_id WHERE {mine} AND {due} LIMIT 1000) counted

-- name: mine
d.organization_id = :organization_id AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id)
  AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = :sequence_id)

-- name: one
{shown} WHERE d.id = :id

-- name: of_person
-- Those that are due, done or skipped. What became needless meanwhile is none of them.
{shown} WHERE e.candidate_id = :id AND t.kind = 'task' AND (d.task IS NOT NULL OR ({due}))
  AND (CAST(:only_of AS uuid) IS NULL OR s.owner_id = CAST(:only_of AS uuid))
ORDER BY coalesce(CAST(d.task->>'at' AS timestamptz), d.due_at) DESC LIMIT CAST(:limit AS int)
