-- name: lanes
-- Of the sequences whose next email could take a field, in the order in which everybody locks lanes.
SELECT 1 FROM lanes WHERE mailbox_id IN (SELECT s.mailbox_id FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
  WHERE e.candidate_id = :id AND e.status IN ('active', 'paused'))
ORDER BY mailbox_id FOR UPDATE

-- name: person
SELECT c.id, c.organization_id, c.first_name, c.last_name, c.company, c.title, c.location, c.fields,
  ARRAY(SELECT DISTINCT f FROM enrollments e JOIN sequences s ON s.id = e.sequence_id, unnest(s.fields) AS f
    WHERE e.candidate_id = c.id) AS used
FROM candidates c WHERE c.id = :id AND c.erased_at IS NULL

-- name: lock
SELECT 1 FROM candidates WHERE id = :id FOR UPDATE

-- name: blocked
SELECT e.id, s.status = 'active' AS running FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
WHERE e.candidate_id = :id AND e.status = 'paused' AND e.reason = ANY(:reasons)
