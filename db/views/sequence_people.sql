-- The people in one sequence, a page at a time, in the order in which they joined.

-- name: page
SELECT e.id, e.candidate_id, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name, c.email, c.company,
  e.status, e.reason, d.state, d.outcome, d.reason AS delivery_reason, d.held, d.due_at, d.sent_at, t.position,
  CASE WHEN c.away_until > clock_timestamp() THEN c.away_until END AS away_until
{listed}
ORDER BY e.id LIMIT :limit

-- name: count
SELECT count(*) FROM (SELECT 1 {listed} LIMIT 10001) counted

-- name: listed
FROM enrollments e JOIN candidates c ON c.id = e.candidate_id
LEFT JOIN LATERAL (SELECT x.* FROM deliveries x WHERE x.enrollment_id = e.id ORDER BY x.created_at DESC LIMIT 1) d ON true
LEFT JOIN steps t ON t.id = d.step_id
WHERE e.sequence_id = :id AND (CAST(:after AS uuid) IS NULL OR e.id > :after)
  AND (:search = '' OR strpos(lower(concat_ws(' ', c.first_name, c.last_name, c.company, c.email)), lower(:search)) > 0)
  AND CASE :state WHEN '' THEN true
    WHEN 'waiting' THEN e.status = 'active' AND d.state IS DISTINCT FROM 'review' AND d.state IS DISTINCT FROM 'in_doubt'
      AND NOT coalesce({approval}, false)
    WHEN 'approval' THEN e.status = 'active' AND {approval}
    WHEN 'blocked' THEN {block} WHEN 'paused' THEN e.status = 'paused' AND NOT ({block})
    WHEN 'review' THEN d.state IN ('review', 'in_doubt') WHEN 'failed' THEN {failed}
    WHEN 'finished' THEN e.status = 'finished'
    WHEN 'stopped' THEN e.status IN ('stopped', 'archived') AND e.reason NOT IN ('answered', 'bounced', 'opted_out')
      AND NOT coalesce({failed}, false)
    ELSE e.status = 'stopped' AND e.reason = :state END
