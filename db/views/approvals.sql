-- name: waiting
SELECT d.id, e.candidate_id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS person,
  s.id AS sequence_id, s.name AS sequence, s.owner_id, t.position, d.due_at
FROM deliveries d JOIN sequences s ON s.id = d.sequence_id JOIN steps t ON t.id = d.step_id
JOIN enrollments e ON e.id = d.enrollment_id JOIN candidates c ON c.id = e.candidate_id
WHERE {mine} AND (CAST(:after_at AS timestamptz) IS NULL OR d.due_at > CAST(:after_at AS timestamptz)
  OR (d.due_at = CAST(:after_at AS timestamptz) AND d.id > CAST(:after_id AS uuid)))
ORDER BY d.due_at, d.id LIMIT CAST(:limit AS int)

-- name: count
SELECT count(*) FROM (SELECT FROM deliveries d JOIN sequences s ON s.id = d.sequence_id WHERE {mine} LIMIT 1000) counted

-- name: mine
d.organization_id = :organization_id AND {approval} AND s.status <> 'archived'
  AND (CAST(:owner_id AS uuid) IS NULL OR s.owner_id = :owner_id)
  AND (CAST(:sequence_id AS uuid) IS NULL OR s.id = :sequence_id)
