-- A person has another address: what keeps it from being theirs, and what goes on under it.

-- name: person
WITH theirs AS MATERIALIZED (SELECT d.state, d.sent_to, d.send_started_at FROM enrollments e JOIN deliveries d ON d.enrollment_id = e.id
  WHERE e.candidate_id = :id)
SELECT c.organization_id, c.email, coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), c.email) AS name,
  suppressed(c.organization_id, :address) IS NOT NULL AS closed,
  EXISTS (SELECT FROM (SELECT c.email UNION SELECT x.sent_to FROM theirs x WHERE x.sent_to IS NOT NULL) a (email)
    WHERE suppressed(c.organization_id, a.email) <> 'bounced') AS said_no,
  (SELECT o.id FROM candidates o WHERE o.organization_id = c.organization_id AND o.email = :address AND o.id <> c.id) AS other_id,
  -- A draft that was submitted once is never written anew: it has the address that it has.
  EXISTS (SELECT FROM theirs x WHERE x.state NOT IN ('sent', 'closed', 'review') AND x.send_started_at IS NOT NULL) AS on_its_way,
  EXISTS (SELECT FROM theirs x WHERE x.state = 'review') AS in_review,
  EXISTS (SELECT FROM theirs x WHERE x.state = 'sent' AND x.sent_to IS NULL) AS written_to
FROM candidates c WHERE c.id = :id AND c.erased_at IS NULL

-- name: places
-- Their sequences, each with the first email that came back, for good (``hard``) or after several refusals; the email that was
-- refused when we sent it; and the step that was planned when the sequence ended for them.
SELECT e.id, e.sequence_id, s.name AS sequence, s.status AS sequence_status, e.status, e.reason,
  b.id IS NOT NULL AS came_back, coalesce(b.hard AND b.first, false) AS nothing_reached, a.id AS again_id, a.position AS again_position,
  f.id AS refused_id, f.position AS refused_position, n.id AS next_id, n.position AS next_position
FROM enrollments e JOIN sequences s ON s.id = e.sequence_id
LEFT JOIN LATERAL (SELECT d.id, t.position, bool_or(m.bounce_class = 'hard') AS hard,
    NOT EXISTS (SELECT FROM deliveries x WHERE x.enrollment_id = e.id AND x.state = 'sent' AND x.sent_at < d.sent_at) AS first
  FROM deliveries d JOIN steps t ON t.id = d.step_id JOIN incoming_messages m ON m.delivery_id = d.id
  WHERE d.enrollment_id = e.id AND d.state = 'sent' AND d.sent_to IS NULL AND m.kind = 'bounce' AND m.overruled_at IS NULL
    AND (m.bounce_class = 'hard' OR (m.bounce_class = 'soft' AND e.reason = 'bounced'))
  GROUP BY d.id, t.id ORDER BY d.sent_at LIMIT 1) b ON true
LEFT JOIN LATERAL (SELECT x.id, x.position FROM steps x WHERE x.sequence_id = s.id AND x.retired_at IS NULL AND NOT x.id = ANY(e.passed)
  AND x.position >= b.position ORDER BY x.position LIMIT 1) a ON true
LEFT JOIN LATERAL (SELECT d.id, t.position FROM deliveries d JOIN steps t ON t.id = d.step_id WHERE d.enrollment_id = e.id
    AND {failed} AND d.reason = ANY(:about_the_address) AND e.status = 'stopped' AND e.reason = d.reason LIMIT 1) f ON true
LEFT JOIN LATERAL (SELECT d.id, t.position FROM deliveries d JOIN steps t ON t.id = d.step_id WHERE d.enrollment_id = e.id
    AND {closed} AND d.outcome = 'cancelled' AND d.reason = 'bounced' AND d.send_started_at IS NULL
    AND NOT EXISTS (SELECT FROM deliveries y WHERE y.enrollment_id = e.id AND y.created_at > d.created_at) LIMIT 1) n ON true
WHERE e.candidate_id = :id AND s.kind = 'sequence' AND s.status <> 'archived'
  AND (e.status <> 'archived' AND (e.reason = 'bounced' OR b.id IS NOT NULL OR f.id IS NOT NULL OR e.status IN ('active', 'paused')))
ORDER BY lower(s.name), e.id

-- name: remember
UPDATE deliveries d SET sent_to = :address FROM enrollments e
WHERE e.candidate_id = :id AND d.enrollment_id = e.id AND d.state = 'sent' AND d.sent_to IS NULL

-- name: begin_anew
WITH over AS (
  UPDATE enrollments SET status = 'archived', reason = '{reason}', paused_at = NULL WHERE id = :id RETURNING *)
INSERT INTO enrollments (id, organization_id, sequence_id, candidate_id, passed, run)
SELECT :new_id, organization_id, sequence_id, candidate_id, passed,
  (SELECT max(r.run) + 1 FROM enrollments r WHERE r.sequence_id = over.sequence_id AND r.candidate_id = over.candidate_id)
FROM over

-- name: reopen
WITH again AS (
  UPDATE deliveries d SET {pending}, outcome = NULL, held = true, reason = 'enrollment_paused', failures = 0,
    first_failed_at = NULL, releases = attempts WHERE d.id = :delivery_id AND {closed} RETURNING enrollment_id)
UPDATE enrollments SET status = 'paused', reason = '{reason}', paused_at = clock_timestamp()
WHERE id IN (SELECT enrollment_id FROM again) AND status = 'stopped'
