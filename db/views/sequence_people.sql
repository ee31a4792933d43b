-- The people in one sequence, a page at a time, in the order in which they joined.

-- name: page
SELECT e.id, e.candidate_id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, c.email, c.company,
  e.status, e.reason, {state} AS standing, d.id AS delivery_id, d.state, d.reason AS delivery_reason, d.due_at, d.sent_at, t.position,
  CASE WHEN c.away_until > clock_timestamp() THEN c.away_until END AS away_until
{listed} AND (CAST(:only AS uuid[]) IS NULL OR e.id = ANY(CAST(:only AS uuid[])))
ORDER BY e.id LIMIT :limit

-- name: results
-- Of whoever answered, or whose address takes no emails: after which step.
SELECT l.step_id AS id, count(*) FILTER (WHERE e.reason = 'answered') AS answered,
  count(*) FILTER (WHERE e.reason = 'bounced') AS bounced
FROM enrollments e CROSS JOIN LATERAL (SELECT d.step_id FROM deliveries d WHERE d.enrollment_id = e.id AND d.state = 'sent'
  ORDER BY d.sent_at DESC LIMIT 1) l
WHERE e.sequence_id = :id AND e.status = 'stopped' AND e.reason IN ('answered', 'bounced') GROUP BY l.step_id

-- name: count
SELECT count(*) FROM (SELECT 1 {listed} LIMIT 10001) counted

-- name: listed
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id
LEFT JOIN LATERAL (SELECT x.* FROM deliveries x WHERE x.enrollment_id = e.id ORDER BY x.created_at DESC LIMIT 1) d ON true
LEFT JOIN steps t ON t.id = d.step_id
WHERE e.sequence_id = :id AND e.reason IS DISTINCT FROM 'address_corrected' AND (CAST(:after AS uuid) IS NULL OR e.id > :after)
  AND (:search = '' OR strpos(lower(concat_ws(' ', c.first_name, c.last_name, c.company, c.email)), lower(:search)) > 0)
  AND (:step = 0 OR t.position = :step) AND (:state = '' OR {state} = :state)
