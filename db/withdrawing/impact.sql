-- name: touched
SELECT s.id, s.name, s.owner_id, w.name AS owner, s.status, count(*) AS emails,
  min(d.due_at) FILTER (WHERE d.state = 'pending' AND NOT d.held AND s.status = 'active') AS next_due_at
{in_scope} AND {stopped} GROUP BY s.id, w.name ORDER BY lower(s.name), s.id
